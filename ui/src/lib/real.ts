/** The door to the program itself, over Tauri's commands. */
import { Channel as Stream } from "@tauri-apps/api/core";
import type { Api } from "./api";
import { commands, events } from "./bindings";

function stream<T>(hear: (item: T) => void): Stream<T> {
  const channel = new Stream<T>();
  channel.onmessage = hear;
  return channel;
}

async function done(call: Promise<unknown>): Promise<void> {
  await call;
}

export function realApi(): Api {
  const { check, signIn, cancelSignIn, dryRun, readHistory, audit, openLink, openDataDir, copyDiagnostics, undo, declineSetup, installUpdate, ...same } = commands;
  return {
    ...same,
    onNews: (hear) => events.news.listen((event) => hear(event.payload)),
    check: (draft, password, onStep) => check(draft, password, stream(onStep)),
    signIn: (address, provider, onPage) => done(signIn(address, provider, stream(onPage))),
    cancelSignIn: () => done(cancelSignIn()),
    dryRun: (address, days, onProgress) => dryRun(address, days, stream(onProgress)),
    readHistory: (address, days, onProgress) => readHistory(address, days, stream(onProgress)),
    audit: (address, days, fix, onProgress) => audit(address, days, fix, stream(onProgress)),
    openLink: (url) => done(openLink(url)),
    openDataDir: () => done(openDataDir()),
    copyDiagnostics: () => done(copyDiagnostics()),
    undo: (token) => done(undo(token)),
    declineSetup: () => done(declineSetup()),
    installUpdate: () => done(installUpdate()),
  };
}
