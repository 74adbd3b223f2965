"""The rows of linear algebra."""
