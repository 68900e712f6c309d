"""Asks for memory ahead of its use, for kernels that jump between rows of a library."""

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# Bytes that come from memory at once.
LINE = 64


@njit(inline="always")
def prefetch(rows, row):
    """Start to load a row of an array (n, d), without waiting for it."""
    for place in range(0, rows.shape[1], LINE // rows.itemsize):
        _line(rows, row, place)


@intrinsic
def _line(typing, rows, row, place):
    """The line that holds an element, by LLVM's instruction for it."""

    def generate(context, builder, signature, arguments):
        kind = signature.args[0]
        array = context.make_array(kind)(context, builder, arguments[0])
        address = cgutils.get_item_pointer(context, builder, kind, array, arguments[1:])
        byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [byte, integer, integer, integer])
        function = builder.module.declare_intrinsic("llvm.prefetch", (byte,), fnty=form)
        # To read (0), to be kept in all caches (3), data (1).
        builder.call(
            function, [builder.bitcast(address, byte), integer(0), integer(3), integer(1)]
        )
        return context.get_dummy_value()

    return types.void(rows, row, place), generate
