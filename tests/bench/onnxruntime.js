// SPDX-License-Identifier: BSD-2-Clause
// Runs a model in onnxruntime on one thread, TURNS times for each line on stdin, and answers with a line: a contender of
// bench_models. EXTENTS are those of all inputs, 1,3,32,32;... with an i before those of whole numbers, which are all 1. NODE_PATH says where onnxruntime-node is, if it is not where ./setup bench puts it.
const [, , model, extents, turns] = process.argv;
let ort;
try {
  ort = require(require.resolve('onnxruntime-node', { paths: [__dirname, 'build/node'] }));
} catch (error) {
  process.exit(3);
}
(async () => {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential',
  });
  const feeds = {};
  extents.split(';').forEach((text, index) => {
    const whole = text.startsWith('i');
    const dims = text.replace('i', '').split(',').map(Number);
    const count = dims.reduce((a, b) => a * b, 1);
    feeds[session.inputNames[index]] = whole
      ? new ort.Tensor('int64', new BigInt64Array(count).fill(1n), dims)
      : new ort.Tensor('float32', new Float32Array(count).map((_, i) => Math.sin(i)), dims);
  });
  for (let i = 0; i < 5; i++) await session.run(feeds);
  process.stdout.write('\n');
  for await (const bytes of process.stdin)
    for (let line = 0; line < bytes.length; line++) {
      for (let i = 0; i < Number(turns); i++) await session.run(feeds);
      process.stdout.write('\n');
    }
})();
