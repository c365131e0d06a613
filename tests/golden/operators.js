// SPDX-License-Identifier: BSD-2-Clause
// Makes operators.json: operators in the forms of opsets 13 to 21 and what onnxruntime makes of them, for those that
// ONNX's own node tests (Debian has those of opset 17) do not show. Run by hand, where onnxruntime-node is (NODE_PATH or
// build/node):
//   node tests/golden/operators.js > tests/golden/operators.json
// One case a line: {"op", "opset", "attributes", "inputs", "outputs"}; a tensor is {"dtype", "shape", "data"}, an input
// left out null; a real number has a decimal point or an exponent, a whole one none.
const ort = require(require.resolve('onnxruntime-node', { paths: [__dirname, 'build/node'] }));

// ONNX's messages, field by field.
const varint = (number) => {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(number));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest);
  return Buffer.from(bytes);
};
const int = (field, number) => Buffer.concat([varint(field << 3), varint(number)]);
const bytes = (field, data) => Buffer.concat([varint(field << 3 | 2), varint(data.length), data]);
const text = (field, string) => bytes(field, Buffer.from(string));
const real = (field, number) => Buffer.concat([varint(field << 3 | 5), Buffer.from(Float32Array.of(number).buffer)]);

const types = {
  f32: [1, 'float32', Float32Array], u8: [2, 'uint8', Uint8Array], i8: [3, 'int8', Int8Array],
  u16: [4, 'uint16', Uint16Array], i16: [5, 'int16', Int16Array], i32: [6, 'int32', Int32Array],
  i64: [7, 'int64', BigInt64Array], bool: [9, 'bool', Uint8Array], f64: [11, 'float64', Float64Array],
  u32: [12, 'uint32', Uint32Array],
};
const dtypeOf = (type) => Object.keys(types).find((name) => types[name][1] === type);

const numbersOf = ({ dtype, data }) => types[dtype][2].from(dtype === 'i64' ? data.map(BigInt) : data);
const tensorMessage = (name, tensor) => Buffer.concat([
  ...tensor.shape.map((extent) => int(1, extent)), int(2, types[tensor.dtype][0]), text(8, name),
  bytes(9, Buffer.from(numbersOf(tensor).buffer))]);
const info = (name, tensor) => Buffer.concat([text(1, name), bytes(2, bytes(1, Buffer.concat([
  int(1, types[tensor.dtype][0]),
  bytes(2, Buffer.concat(tensor.shape.map((extent) => bytes(1, int(1, extent)))))])))]);

// Attributes: whole numbers, reals as R(0.5), texts, lists of either, tensors.
class Real { constructor(number) { this.number = Math.fround(number); } }
const R = (number) => new Real(number);
const attribute = (name, value) => {
  const parts = [text(1, name)];
  if (value instanceof Real) parts.push(real(2, value.number), int(20, 1));
  else if (typeof value === 'number') parts.push(int(3, value), int(20, 2));
  else if (typeof value === 'string') parts.push(text(4, value), int(20, 3));
  else if (value.dtype) parts.push(bytes(5, tensorMessage('', value)), int(20, 4));
  else if (value[0] instanceof Real) parts.push(...value.map((v) => real(7, v.number)), int(20, 6));
  else parts.push(...value.map((v) => int(8, v)), int(20, 7));
  return Buffer.concat(parts);
};

// Inputs that are made constants of the model, as shapes and axes must be.
const K = (tensor) => ({ ...tensor, constant: true });

const modelOf = ({ op, opset, inputs, attributes, outputs }) => {
  const names = inputs.map((tensor, i) => (tensor ? `x${i}` : ''));
  const node = Buffer.concat([
    ...names.map((name) => text(1, name)), ...Array.from({ length: outputs }, (_, i) => text(2, `y${i}`)), text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value)))]);
  const graph = Buffer.concat([
    bytes(1, node), text(2, 'case'),
    ...inputs.flatMap((tensor, i) => (tensor && tensor.constant ? [bytes(5, tensorMessage(names[i], tensor))] : [])),
    ...inputs.flatMap((tensor, i) => (tensor && !tensor.constant ? [bytes(11, info(names[i], tensor))] : [])),
    ...Array.from({ length: outputs }, (_, i) => bytes(12, text(1, `y${i}`)))]);
  return Buffer.concat([int(1, 8), bytes(7, graph), bytes(8, Buffer.concat([text(1, ''), int(2, opset)]))]);
};

// Numbers at random, few digits and both signs.
let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const count = (shape) => shape.reduce((a, b) => a * b, 1);
const make = (dtype, shape, number) => ({ dtype, shape, data: Array.from({ length: count(shape) }, number) });
const f32 = (...shape) => make('f32', shape, () => Math.round((random() * 8 - 4) * 64) / 64);
const f64 = (...shape) => ({ ...f32(...shape), dtype: 'f64' });
const whole = (dtype, least, most, ...shape) =>
  make(dtype, shape, () => least + Math.floor(random() * (most - least + 1)));
const of = (dtype, ...data) => ({ dtype, shape: [data.length], data });
const scalar = (dtype, number) => ({ dtype, shape: [], data: [number] });
const ints = (...data) => K(of('i64', ...data));
const reals = (...data) => K(of('f32', ...data));

const cases = [];
const add = (op, opset, inputs, attributes = {}, outputs = 1) => cases.push({ op, opset, inputs, attributes, outputs });

// Gelu came with opset 20.
for (const approximate of ['none', 'tanh'])
  add('Gelu', 20, [{ dtype: 'f32', shape: [3, 5], data: [-20, -6, -4, -3, -2, -1.5, -1, -0.5, -0, 0.25, 0.75, 1, 2.5, 5, 20] }], { approximate });
add('Gelu', 20, [f32(2, 3)]);

// From opset 18 on reductions take their axes as an input, as ReduceSum does from 13 on.
for (const op of ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare']) {
  add(op, 18, [f32(2, 3, 4), ints(1)]);
  add(op, 18, [f32(2, 3, 4), ints(-1, 0)], { keepdims: 0 });
  add(op, 18, [f32(2, 3)], { keepdims: 0 });
}
add('ReduceLogSum', 18, [{ ...f32(2, 3), data: [0.5, 1, 2, 3, 4, 5] }, ints(1)]);
add('ReduceMean', 18, [f32(2, 3), ints()], { noop_with_empty_axes: 1 });
add('ReduceSum', 13, [f32(2, 3), ints()], { noop_with_empty_axes: 1 });
add('ReduceSum', 13, [f32(2, 3), ints()], {});
add('ReduceSum', 21, [whole('i64', -9, 9, 2, 3), ints(0)]);
add('ReduceMax', 20, [whole('i32', -9, 9, 2, 3), ints(1)], { keepdims: 0 });
add('ReduceMax', 20, [whole('bool', 0, 1, 3, 2), ints(1)]);
add('ReduceMin', 20, [whole('bool', 0, 1, 3, 2), ints(1)]);
add('ReduceMax', 20, [whole('u8', 0, 200, 2, 3), ints(0)]);
add('ReduceMean', 18, [f64(2, 3), ints(1)]);

// Split into a number of parts, of which the last may be smaller.
add('Split', 18, [f32(2, 7)], { axis: 1, num_outputs: 3 }, 3);
add('Split', 18, [f32(6)], { num_outputs: 2 }, 2);
add('Split', 18, [f32(2, 7), ints(1, 4, 2)], { axis: -1 }, 3);

// Resize of opsets 18 and 19.
const image = () => f32(1, 1, 4, 5);
for (const mode of ['nearest', 'linear']) {
  // With whole extents: of others onnxruntime aligns corners otherwise than the node tests of ONNX.
  for (const coordinate_transformation_mode of ['half_pixel', 'align_corners', 'asymmetric', 'pytorch_half_pixel'])
    add('Resize', 18, [image(), null, reals(1, 1, 1.5, 0.6)], { mode, coordinate_transformation_mode, antialias: 0 });
  add('Resize', 19, [image(), null, reals(1, 1, 2, 1.3)], { mode, coordinate_transformation_mode: 'half_pixel_symmetric' });
  add('Resize', 18, [image(), null, null, ints(1, 1, 7, 3)], { mode });
  add('Resize', 18, [image(), null, null, ints(7, 3)], { mode, axes: [2, 3] });
  add('Resize', 18, [image(), null, reals(0.5, 2)], { mode, axes: [3, 2] });
  add('Resize', 18, [image(), null, reals(2, 0.6)], { mode, axes: [-1, -2] });
  for (const keep_aspect_ratio_policy of ['not_larger', 'not_smaller'])
    add('Resize', 18, [image(), null, null, ints(8, 7)], { mode, axes: [2, 3], keep_aspect_ratio_policy });
}
for (const nearest_mode of ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'])
  add('Resize', 19, [image(), null, reals(1, 1, 1.75, 0.7)], { mode: 'nearest', nearest_mode });
for (const exclude_outside of [0, 1])
  add('Resize', 18, [image(), null, reals(1, 1, 1.5, 0.8)], { mode: 'cubic', exclude_outside });
add('Resize', 18, [image(), reals(0, 0, 0.2, 0.1, 1, 1, 0.7, 1.2), null, ints(1, 1, 3, 4)],
  { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: R(9.5) });

// Pad takes axes from 18 on and wraps around from 19 on.
add('Pad', 18, [f32(2, 3, 4), ints(1, 0, 2, 1), null, ints(1, 2)]);
add('Pad', 18, [f32(2, 3, 4), ints(1, 2), K(scalar('f32', 0.5)), ints(-1)]);
for (const mode of ['edge', 'reflect', 'wrap'])
  add('Pad', 19, [f32(2, 3, 4), ints(0, 1, 2, 0, 2, 3)], { mode });
add('Pad', 19, [f32(2, 3, 4), ints(2, 1), null, ints(-2)], { mode: 'wrap' });
add('Pad', 21, [f32(3, 4), ints(0, -1, 1, 2)], { mode: 'constant' });

// Whole numbers, kinds and shapes, as opsets 19 to 21 have them.
for (const dtype of ['i32', 'i64', 'u8', 'i8', 'bool', 'f64', 'f32'])
  add('Equal', 19, [whole(dtype, 0, 1, 2, 3), whole(dtype, 0, 1, 3)]);
for (const to of ['f32', 'i32', 'i64', 'u8', 'bool', 'f64'])
  for (const from of [whole('i64', 0, 3, 5), of('f32', -0.5, 0, 0.5, 2.5, 3.75)])
    if (from.dtype !== 'f32' || to !== 'u8') add('Cast', opsetOf(to), [from], { to: types[to][0] });
function opsetOf(to) { return to === 'i32' ? 21 : to === 'bool' ? 13 : 19; }
add('Reshape', 19, [f32(2, 3, 4), ints(0, -1)]);
add('Reshape', 21, [f32(2, 6), ints(3, 4)]);
add('Reshape', 19, [{ dtype: 'f32', shape: [0, 3], data: [] }, ints(3, 0)], { allowzero: 1 });
add('Flatten', 21, [f32(2, 3, 4)], { axis: -1 });
add('Identity', 21, [f32(2, 2)]);
add('Squeeze', 21, [f32(1, 3, 1), ints(-1)]);
add('Squeeze', 21, [f32(1, 3, 1)]);
add('Unsqueeze', 21, [f32(3), ints(0, -1)]);
add('Transpose', 21, [f32(2, 3, 2)], { perm: [2, 0, 1] });
add('Transpose', 21, [whole('i8', -9, 9, 2, 3)]);
add('Shape', 21, [f32(2, 3, 4)]);
add('Shape', 19, [f32(2, 3, 4)], { start: -2 });
add('Shape', 15, [f32(2, 3, 4)], { start: 1, end: -1 });
add('Size', 21, [f32(2, 3, 4)]);
add('ConstantOfShape', 20, [ints(2, 3)]);
add('ConstantOfShape', 21, [ints(2)], { value: of('i8', -3) });
add('ConstantOfShape', 21, [ints()], { value: of('f64', 0.25) });
add('Constant', 19, [], { value_ints: [3, 1, 2] });
add('Constant', 21, [], { value_float: R(0.75) });
add('Expand', 13, [f32(2, 1), ints(3, 1, 4)]);
add('Gather', 13, [f32(4, 3), K(of('i64', -1, 0, 2))], { axis: 0 });
add('Slice', 13, [f32(5, 6), ints(4, -1), ints(-6, 0), ints(0, 1), ints(-2, -2)]);
add('Concat', 13, [f32(2, 1), f32(2, 2), f32(2, 0)], { axis: -1 });
add('Where', 16, [whole('bool', 0, 1, 2, 3), f32(3), f32(2, 1)]);

// Through 8 and 16 bits and back; halves go to the even neighbour.
const halves = { dtype: 'f32', shape: [2, 6], data: [-3, -2.5, -0.5, 0.5, 1.5, 300, -1.25, 0.75, 1.25, 2.25, -300, 0] };
for (const opset of [13, 19, 21]) {
  add('QuantizeLinear', opset, [halves, K(scalar('f32', 0.5)), K(scalar('u8', 7))]);
  add('QuantizeLinear', opset, [halves, K(scalar('f32', 0.5)), K(scalar('i8', -7))]);
  add('QuantizeLinear', opset, [halves, K(scalar('f32', 0.5))]);
  add('QuantizeLinear', opset, [halves, reals(0.5, 0.25), K(of('u8', 1, 2))], { axis: 0 });
  add('QuantizeLinear', opset, [f32(2, 3), reals(0.5, 0.25, 2), K(of('i8', 0, 3, -4))], { axis: -1 });
  add('DequantizeLinear', opset, [whole('u8', 0, 255, 2, 3), K(scalar('f32', 0.5)), K(scalar('u8', 7))]);
  add('DequantizeLinear', opset, [whole('i8', -128, 127, 2, 3), reals(0.5, 0.25), K(of('i8', 3, -2))], { axis: 0 });
  add('DequantizeLinear', opset, [whole('i32', -1000, 1000, 4), K(scalar('f32', 0.01))]);
}
for (const dtype of ['u16', 'i16']) {
  add('QuantizeLinear', 21, [halves, K(scalar('f32', 0.005)), K(scalar(dtype, 9))]);
  add('DequantizeLinear', 21, [whole(dtype, 0, 30000, 2, 3), reals(0.5, 0.25, 2), K(of(dtype, 9, 0, 3))]);
}
for (const output_dtype of [2, 3, 4, 5]) add('QuantizeLinear', 21, [halves, K(scalar('f32', 0.5))], { output_dtype });
// A scale for each block of an axis.
add('QuantizeLinear', 21, [f32(2, 6), K({ ...f32(2, 3), data: [0.5, 0.25, 1, 2, 0.125, 0.3] }), K(whole('u8', 0, 9, 2, 3))], { axis: 1, block_size: 2 });
add('QuantizeLinear', 21, [f32(5, 2), K({ ...f32(3, 2), data: [0.5, 0.25, 1, 2, 0.125, 0.3] })], { axis: 0, block_size: 2 });
add('DequantizeLinear', 21, [whole('i8', -9, 9, 2, 6), K({ ...f32(2, 2), data: [0.5, 0.25, 1, 2] }), K(whole('i8', -3, 3, 2, 2))], { axis: -1, block_size: 3 });
add('DequantizeLinear', 21, [whole('u8', 0, 9, 5, 1, 2), K(f32(3, 1, 2))], { axis: 0, block_size: 2 });

// Layers.
add('LayerNormalization', 17, [f32(2, 3, 4), f32(4), f32(4)]);
add('LayerNormalization', 17, [f32(2, 3, 4), f32(3, 4)], { axis: 1, epsilon: R(0.125) });
add('BatchNormalization', 15, [f32(2, 3, 2), f32(3), f32(3), f32(3), { ...f32(3), data: [0.5, 1, 2] }]);
add('Softmax', 13, [f32(2, 3, 4)]);
add('LogSoftmax', 13, [f32(2, 3, 4)], { axis: 1 });
add('HardSwish', 14, [f32(2, 6)]);
add('LeakyRelu', 16, [f32(2, 3)], { alpha: R(0.125) });
add('PRelu', 16, [f32(2, 3, 2), f32(3, 1)]);
add('Clip', 13, [f32(2, 3), null, K(scalar('f32', 1))]);
add('Clip', 13, [whole('i64', -9, 9, 6), K(scalar('i64', -2)), K(scalar('i64', 3))]);
add('Pow', 15, [{ ...f32(4), data: [0, 0.5, 2, 3] }, of('i64', 2, 3, -1, 0)]);
add('AveragePool', 19, [f32(1, 2, 6, 7)], { kernel_shape: [3, 2], dilations: [2, 1], count_include_pad: 1, pads: [1, 1, 1, 1] });
add('AveragePool', 19, [f32(1, 1, 7)], { kernel_shape: [3], strides: [2], pads: [1, 1], ceil_mode: 1 });
add('AveragePool', 19, [f32(1, 1, 5, 6)], { kernel_shape: [2, 3], strides: [2, 2], auto_pad: 'SAME_LOWER' });
add('MaxPool', 12, [f32(1, 2, 6, 7)], { kernel_shape: [3, 2], dilations: [2, 1], pads: [1, 0, 1, 1] });
add('MaxPool', 12, [f32(1, 1, 6, 6)], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }, 2);
add('Conv', 11, [f32(1, 4, 6, 5), f32(6, 2, 3, 2), f32(6)], { group: 2, pads: [1, 0, 2, 1], strides: [2, 1], dilations: [1, 2] });
add('Conv', 11, [f32(1, 3, 7), f32(2, 3, 3)], { auto_pad: 'SAME_LOWER', strides: [2] });
add('ConvTranspose', 11, [f32(1, 3, 4, 3), f32(3, 2, 3, 3), f32(2)], { strides: [2, 3], pads: [1, 0, 1, 1], output_padding: [1, 0] });
add('Gemm', 13, [f32(3, 2), f32(4, 3), f32(4)], { transA: 1, transB: 1, alpha: R(0.5), beta: R(2) });
add('MatMul', 13, [f32(2, 1, 3, 4), f32(3, 4, 2)]);
add('MatMul', 13, [f32(4), f32(3, 4, 2)]);
const gates = (op, number, linear) => {
  const inputs = [f32(3, 2, 2), f32(1, number * 3, 2), f32(1, number * 3, 3), f32(1, number * 6)];
  const small = inputs.map((tensor) => ({ ...tensor, data: tensor.data.map((n) => n / 4) }));
  add(op, 14, small, { hidden_size: 3, ...(op === 'GRU' ? { linear_before_reset: linear } : {}) }, op === 'GRU' ? 2 : 3);
};
gates('LSTM', 4, 0);
gates('GRU', 3, 0);
gates('GRU', 3, 1);

// Text: a shortest number that float32 tells apart, one case a line.
const isReal = (dtype) => dtype === 'f32' || dtype === 'f64';
const shortest = (number) => {
  for (let digits = 1; digits < 9; digits++)
    if (Math.fround(Number(number.toPrecision(digits))) === number) return Number(number.toPrecision(digits));
  return Number(number.toPrecision(9));
};
const realText = (number, dtype) => {
  const written = String(Object.is(number, -0) ? '-0' : dtype === 'f64' ? number : shortest(number));
  return /[.e]/.test(written) ? written : `${written}.0`;
};
const tensorText = ({ dtype, shape, data }) =>
  `{"dtype": "${dtype}", "shape": [${shape.join(', ')}], "data": [${Array.from(data, (number) => (isReal(dtype) ? realText(number, dtype) : String(number))).join(', ')}]}`;
const valueText = (value) => (value instanceof Real ? realText(value.number)
  : Array.isArray(value) ? `[${value.map(valueText).join(', ')}]`
    : value.dtype ? tensorText(value) : JSON.stringify(value));
const attributesText = (attributes) =>
  `{${Object.entries(attributes).map(([name, value]) => `"${name}": ${valueText(value)}`).join(', ')}}`;

async function run(one) {
  const session = await ort.InferenceSession.create(modelOf(one), { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const feeds = {};
  one.inputs.forEach((tensor, i) => {
    if (tensor && !tensor.constant) feeds[`x${i}`] = new ort.Tensor(types[tensor.dtype][1], numbersOf(tensor), tensor.shape);
  });
  const made = await session.run(feeds);
  const outputs = session.outputNames.map((name) => ({ dtype: dtypeOf(made[name].type), shape: made[name].dims, data: made[name].data }));
  return `{"op": "${one.op}", "opset": ${one.opset}, "attributes": ${attributesText(one.attributes)}, ` +
    `"inputs": [${one.inputs.map((tensor) => (tensor ? tensorText(tensor) : 'null')).join(', ')}], ` +
    `"outputs": [${outputs.map(tensorText).join(', ')}]}`;
}

(async () => {
  const lines = [];
  for (const one of cases) {
    try {
      lines.push(await run(one));
    } catch (error) {
      console.error(`${one.op} of opset ${one.opset} ${attributesText(one.attributes)}: ${error.message}`);
    }
  }
  console.log(`[\n${lines.join(',\n')}\n]`);
})();
