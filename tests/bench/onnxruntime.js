// SPDX-License-Identifier: BSD-2-Clause
// Runs a model in onnxruntime on one thread, TURNS times for each line on stdin, and answers with a line: a contender of
// bench_models. NODE_PATH says where onnxruntime-node is, if it is not where ./setup bench puts it.
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
  const dims = extents.split(',').map(Number);
  const numbers = new Float32Array(dims.reduce((a, b) => a * b, 1)).map((_, i) => Math.sin(i));
  const feeds = {};
  feeds[session.inputNames[0]] = new ort.Tensor('float32', numbers, dims);
  for (let i = 0; i < 5; i++) await session.run(feeds);
  process.stdout.write('\n');
  for await (const bytes of process.stdin)
    for (let line = 0; line < bytes.length; line++) {
      for (let i = 0; i < Number(turns); i++) await session.run(feeds);
      process.stdout.write('\n');
    }
})();
