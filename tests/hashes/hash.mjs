// A candidate of `make bench`: @node-rs/argon2. Hashes one password for each line that comes in,
// and says in how many nanoseconds and what came out.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../target/hashes/", import.meta.url));
const { hashRawSync, Algorithm } = require("@node-rs/argon2");

const options = {
  algorithm: Algorithm.Argon2id,
  memoryCost: 19 * 1024,
  timeCost: 2,
  parallelism: 1,
  outputLen: 32,
  salt: Buffer.from("salt of 16 bytes"),
};

createInterface({ input: process.stdin }).on("line", () => {
  const started = process.hrtime.bigint();
  const tag = hashRawSync("correct horse battery", options);
  const took = process.hrtime.bigint() - started;
  console.log(`${took} ${tag.toString("hex")}`);
});
