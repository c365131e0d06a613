# SPDX-License-Identifier: BSD-2-Clause
# Makes tiny.onnx with python3-onnx: two convolutions with batch normalisation, a mean and a linear layer on images of
# 2 x 8 x 8. Run by hand; what it makes is kept beside it, so that tests need no Python.
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

random = numpy.random.RandomState(1)


def tensor(name, *shape):
    return numpy_helper.from_array(random.standard_normal(shape).astype(numpy.float32) / 2, name)


def positive(name, *shape):
    return numpy_helper.from_array(random.uniform(0.5, 1.5, shape).astype(numpy.float32), name)


nodes = [
    helper.make_node("Conv", ["image", "conv1.weight"], ["a"], "conv1", pads=[1, 1, 1, 1]),
    helper.make_node("BatchNormalization", ["a", "bn1.scale", "bn1.bias", "bn1.mean", "bn1.var"], ["b"], "bn1"),
    helper.make_node("Relu", ["b"], ["c"], "relu1"),
    helper.make_node("Conv", ["c", "conv2.weight", "conv2.bias"], ["d"], "conv2", strides=[2, 2]),
    helper.make_node("Relu", ["d"], ["e"], "relu2"),
    helper.make_node("GlobalAveragePool", ["e"], ["f"], "pool"),
    helper.make_node("Flatten", ["f"], ["g"], "flat"),
    helper.make_node("Gemm", ["g", "fc.weight", "fc.bias"], ["logits"], "fc", transB=1),
]
parameters = [
    tensor("conv1.weight", 8, 2, 3, 3), positive("bn1.scale", 8), tensor("bn1.bias", 8), tensor("bn1.mean", 8),
    positive("bn1.var", 8), tensor("conv2.weight", 8, 8, 3, 3), tensor("conv2.bias", 8), tensor("fc.weight", 4, 8),
    tensor("fc.bias", 4),
]
graph = helper.make_graph(
    nodes, "tiny", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 2, 8, 8])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 4])], parameters)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="libprune")
model.ir_version = 7
onnx.checker.check_model(model)
onnx.save(model, "tiny.onnx")
