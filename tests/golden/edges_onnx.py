# SPDX-License-Identifier: BSD-2-Clause
# Makes fixed.onnx (y = Relu of x [N,4], z = Relu of a constant [2,4]), fixed_first.onnx (the same with z before y) and
# inputs65.onnx (65 inputs, one of them used), several.onnx (y = x + b, z = b expanded to the shape that is an input) and
# unknown.onnx (y = Mystery of x), byte by byte. Run by hand; what it makes is kept beside it, so that tests
# need no Python.
import struct


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def text(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def whole(field, number):
    return varint(field << 3) + varint(number)


def value(name, shape, dtype=1):
    dims = b"".join(text(1, whole(1, d) if isinstance(d, int) else text(2, d.encode())) for d in shape)
    return text(1, name.encode()) + text(2, text(1, whole(1, dtype) + text(2, dims)))


def relu(x, y):
    return text(1, x.encode()) + text(2, y.encode()) + text(3, b"Relu" + y.encode()) + text(4, b"Relu")


def node(op, inputs, y):
    return b"".join(text(1, x.encode()) for x in inputs) + text(2, y.encode()) + text(3, op.encode()) + \
        text(4, op.encode())


def save(path, nodes, inputs, outputs, initializers=b""):
    graph = b"".join(text(1, n) for n in nodes) + text(2, b"g") + initializers
    graph += b"".join(text(11, v) for v in inputs) + b"".join(text(12, v) for v in outputs)
    with open(path, "wb") as file:
        file.write(whole(1, 8) + text(7, graph) + text(8, whole(2, 13)))


c = text(5, whole(1, 2) + whole(1, 4) + whole(2, 1) + text(8, b"c") + text(9, struct.pack("<f", 1) * 8))
save("fixed.onnx", [relu("x", "y"), relu("c", "z")], [value("x", ["N", 4])],
     [value("y", ["N", 4]), value("z", [2, 4])], c)
save("fixed_first.onnx", [relu("x", "y"), relu("c", "z")], [value("x", ["N", 4])],
     [value("z", [2, 4]), value("y", ["N", 4])], c)
save("inputs65.onnx", [relu("x0", "y")], [value("x%d" % k, ["N", 4]) for k in range(65)], [value("y", ["N", 4])])
save("several.onnx", [node("Add", ["x", "b"], "y"), node("Expand", ["b", "shape"], "z")],
     [value("x", ["N", 4]), value("b", ["one", 4]), value("shape", [2], 7)],
     [value("y", ["N", 4]), value("z", ["M", 4])])
save("unknown.onnx", [node("Mystery", ["x"], "y")], [value("x", ["N", 4])], [value("y", ["N", 4])])
