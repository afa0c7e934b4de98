// Verifies one attempt with the npm implementation of Standard Webhooks.
// Arguments: the folder that holds node_modules, and a JSON file with secret, headers and body.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";

const [folder, file] = process.argv.slice(2);
const { Webhook } = createRequire(`${folder}/`)("standardwebhooks");
const { secret, headers, body } = JSON.parse(readFileSync(file, "utf8"));

const event = new Webhook(secret).verify(body, headers);
assert.equal(event.type, "email.logged");
assert.equal(event.data.key, headers["webhook-id"]);

// It must be able to say no.
assert.throws(() => new Webhook(secret).verify(`${body} `, headers), /signature/i);
assert.throws(() => new Webhook(secret).verify(body, { ...headers, "webhook-id": "other" }), /signature/i);
assert.throws(() => new Webhook(`whsec_${Buffer.from("another key").toString("base64")}`).verify(body, headers), /signature/i);

console.log("all is well");
