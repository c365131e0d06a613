// SPDX-License-Identifier: BSD-2-Clause
// Runs models in onnxruntime: the first argument is a JSON file, a list of {"model", "feeds": [{"name", "dtype", "dims",
// "file"}], "to"}; the numbers of each feed are what its file holds. For each model a line for every output
//   ok MODEL NAME DTYPE EXTENTS FILE
// (a scalar's extents are "-"), its numbers being in FILE, or one line that says why not: failed MODEL WHY.
// Exit status 3 without onnxruntime-node, which is looked for as Node does (NODE_PATH) and where ./setup puts it.
const fs = require('fs');
let ort;
try {
  ort = require(require.resolve('onnxruntime-node', { paths: [__dirname, 'build/node'] }));
} catch (error) {
  process.exit(3);
}
const types = {
  f32: ['float32', Float32Array], f64: ['float64', Float64Array], f16: ['float16', Uint16Array],
  i8: ['int8', Int8Array], u8: ['uint8', Uint8Array], i16: ['int16', Int16Array], u16: ['uint16', Uint16Array],
  i32: ['int32', Int32Array], u32: ['uint32', Uint32Array], i64: ['int64', BigInt64Array], bool: ['bool', Uint8Array],
};
const nameOf = (type) => Object.keys(types).find((name) => types[name][0] === type);

function tensorOf(feed) {
  const [type, numbers] = types[feed.dtype];
  const bytes = fs.readFileSync(feed.file);
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return new ort.Tensor(type, new numbers(own), feed.dims);
}

async function run(job) {
  const session = await ort.InferenceSession.create(job.model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds = Object.fromEntries(job.feeds.map((feed) => [feed.name, tensorOf(feed)]));
  const outputs = await session.run(feeds);
  session.outputNames.forEach((name, index) => {
    const { data, type, dims } = outputs[name];
    const file = `${job.to}.${index}`;
    fs.writeFileSync(file, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    console.log(`ok ${job.model} ${name} ${nameOf(type)} ${dims.join(',') || '-'} ${file}`);
  });
}

(async () => {
  for (const job of JSON.parse(fs.readFileSync(process.argv[2])))
    await run(job).catch((error) => console.log(`failed ${job.model} ${String(error.message).replace(/\s+/g, ' ')}`));
})();
