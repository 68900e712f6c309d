"""Products of a query with a block of library spectra, in vector instructions.

numba would keep the sums in memory, since an array that is written might be one that is read.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from whiteline.search.selection import BLOCK

# Sums in one vector; registers that are shorter hold it in parts.
LANES = 16
FLAGS = ("contract",)


@intrinsic
def score(typing, queries, row, tiles, block, out, place):
    """Products of row ``row`` of queries (n, d) with all of ``tiles[block]``, of shape
    (blocks, d, BLOCK), as row ``place`` of ``out``, whose rows hold BLOCK. All are float32 and
    lie in order of their last axis.
    """
    if any((a.dtype, a.layout) != (types.float32, "C") for a in (queries, tiles, out)):
        return None

    def generate(context, builder, signature, arguments):
        queries, tiles, out = (
            context.make_array(signature.args[n])(context, builder, arguments[n])
            for n in (0, 2, 4)
        )
        row, block, place = arguments[1], arguments[3], arguments[5]
        register = ir.VectorType(ir.FloatType(), LANES)
        index = row.type
        axes = cgutils.unpack_tuple(builder, queries.shape)[1]
        query = builder.gep(queries.data, [builder.mul(row, axes)])
        size = builder.mul(axes, index(BLOCK))
        tile = builder.gep(tiles.data, [builder.mul(block, size)])
        result = builder.gep(out.data, [builder.mul(place, index(BLOCK))])

        def vector(start, offset):
            return builder.bitcast(builder.gep(start, [offset]), register.as_pointer())

        nothing = ir.Constant(register, [0.0] * LANES)
        starts = range(0, BLOCK, LANES)
        totals = [cgutils.alloca_once_value(builder, nothing) for _ in starts]
        with cgutils.for_range(builder, axes) as loop:
            value = _spread(builder, builder.load(builder.gep(query, [loop.index])), register)
            first = builder.mul(loop.index, index(BLOCK))
            for start, total in zip(starts, totals, strict=True):
                other = builder.load(vector(tile, builder.add(first, index(start))), align=4)
                product = builder.fmul(value, other, flags=FLAGS)
                builder.store(builder.fadd(product, builder.load(total), flags=FLAGS), total)
        for start, total in zip(starts, totals, strict=True):
            builder.store(builder.load(total), vector(result, index(start)), align=4)
        return context.get_dummy_value()

    return types.void(queries, types.intp, tiles, types.intp, out, types.intp), generate


def _spread(builder, number, register):
    """A vector of a number in every lane."""
    undefined, index = ir.Constant(register, ir.Undefined), ir.IntType(32)
    value = builder.insert_element(undefined, number, index(0))
    first = ir.Constant(ir.VectorType(index, register.count), [0] * register.count)
    return builder.shuffle_vector(value, undefined, first)
