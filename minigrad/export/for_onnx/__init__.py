"""Programs as files of ONNX."""
