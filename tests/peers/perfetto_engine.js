// Perfetto's trace processor, as its page loads it in a worker, fed from a file:
//   node perfetto_engine.js WEB_FOLDER REQUESTS REPLIES
// REQUESTS is a TraceProcessorRpcStream (perfetto/trace_processor/trace_processor.proto); REPLIES becomes another.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const [folder, requests, replies] = process.argv.slice(2);
const read = file => new Uint8Array(fs.readFileSync(file));

globalThis.self = globalThis;
globalThis.location = {href: 'file:///engine_bundle.js', protocol: 'file:', host: ''};
globalThis.WorkerGlobalScope = class {};
globalThis.importScripts = () => {};
globalThis.XMLHttpRequest = class {
  open(method, url) { this.file = path.join(folder, path.basename(url)); }
  send() { this.status = 200; this.response = read(this.file).buffer; }
};
globalThis.process = undefined;  // or the bundle would take itself to be outside of a page

const out = fs.openSync(replies, 'w');
const port = {postMessage: bytes => fs.writeSync(out, bytes)};
vm.runInThisContext(Buffer.from(read(path.join(folder, 'engine_bundle.js'))).toString());
setImmediate(() => {  // after the promise that the engine is there
  self.onmessage({data: port});
  port.onmessage({data: read(requests)});
});
