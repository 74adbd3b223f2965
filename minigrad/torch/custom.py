"""`torch.autograd.Function`: an operation whose derivative is given beside it."""

from typing import Any

import minigrad as mg
from minigrad.core import Handle, name_of, no_grad, primitives
from minigrad.errors.dialects import bad_backward
from minigrad.torch.tensor import Tensor, adopted, plain


class Context:
    """What `forward` leaves for `backward`: attributes, and Tensors."""

    saved_tensors: tuple[Any, ...] = ()
    needs_input_grad: tuple[bool, ...] = ()
    constants: tuple[Any, ...] = ()
    # Of each saved Tensor its place among the operands or the results, if it is one of these, and itself.
    places: tuple[tuple[int | None, int | None, Any], ...] = ()
    # Of other attributes that are such Tensors the names, and the same.
    attributes: tuple[tuple[str, int | None, int | None], ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep Tensors for `saved_tensors`."""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which results have no derivative."""
        self.constants = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Accepted, without effect: gradients of results that are not used are zeros, and never None."""


class Function:
    """An operation of Tensors with a `forward` and a `backward` of its own; `apply` calls it.

    The operation runs anew whenever a program does in which it was traced.
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The result: of the context and the arguments, or, where there is a `setup_context`, of the arguments."""
        raise NotImplementedError("a Function needs a forward")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """A gradient for each argument of `forward`, None where there is none."""
        raise NotImplementedError("a Function needs a backward")

    setup_context: Any = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """The result, as one of an operation."""
        ctx = Context()
        places = [i for i, arg in enumerate(args) if isinstance(arg, Handle)]
        ctx.needs_input_grad = tuple([bool(getattr(arg, "requires_grad", False)) for arg in args])

        def run(*operands: Any) -> Any:
            given = list(args)
            for i, operand in zip(places, operands, strict=True):
                given[i] = adopted(name_of(operand, None))
            with no_grad():
                result = cls.forward(*given) if cls.setup_context is not None else cls.forward(ctx, *given)
                if cls.setup_context is not None:
                    cls.setup_context(ctx, tuple(given), result)
            kept = {id(given[i]): k for k, i in enumerate(places)}
            results = result if isinstance(result, tuple) else (result,)
            made = {id(x): k for k, x in enumerate(results)}
            # What is saved is known by its place, as a later derivative goes through the operand or the result itself.
            known = kept.keys() | made.keys()
            ctx.attributes = tuple([
                (name, kept.get(id(x)), made.get(id(x))) for name, x in vars(ctx).items() if id(x) in known
            ])  # fmt: skip
            ctx.places = tuple([(kept.get(id(x)), made.get(id(x)), x) for x in ctx.saved_tensors])
            ctx.constants = tuple([made.get(id(x)) for x in ctx.constants])
            arrays = [x.array if isinstance(x, Handle) else x for x in results]
            return tuple(arrays) if isinstance(result, tuple) else arrays[0]

        first = [run(*(args[i].array for i in places))]
        several = isinstance(first[0], tuple)

        def forward(*operands: Any) -> Any:
            return first.pop() if first else run(*operands)

        def joint(g: Any, y: Any, *operands: Any) -> Any:
            results = list(y) if several else [y]
            ctx.saved_tensors = tuple([
                _as_tensor(operands[k] if k is not None else results[m] if m is not None else x)
                for k, m, x in ctx.places
            ])  # fmt: skip
            for name, k, m in ctx.attributes:
                setattr(ctx, name, _as_tensor(operands[k] if k is not None else results[m] if m is not None else None))
            gradients = cls.backward(ctx, *map(_as_tensor, g if several else [g]))
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            if len(gradients) < len(args) or any(g is not None for g in gradients[len(args) :]):
                raise bad_backward(cls.__name__, len(gradients), len(args))
            wanted = [gradients[i] for i in places]
            recorded = isinstance(g[0] if several else g, Handle)
            return [x if x is None or recorded else getattr(plain(x), "array", x) for x in map(plain, wanted)]

        forward.__name__ = cls.__name__
        operation: Any = mg.primitive(joint=joint, outputs=len(first[0]) if several else 1)(forward)
        operation.primitive.ours = False  # the gradients may be arrays that belong to others
        del primitives[cls.__name__]  # it is one of many of this name, for this call alone
        result = operation(*[plain(args[i]) for i in places])
        if not ctx.constants:
            return adopted(result)
        results = result if several else (result,)
        made = tuple([adopted(x.detach() if i in ctx.constants else x) for i, x in enumerate(results)])
        return made if several else made[0]


def _as_tensor(x: Any) -> Tensor:
    made: Tensor = adopted(name_of(x.array, x.node) if isinstance(x, Handle) else x)
    return made
