import { describe, expect, it } from "vitest";
import type { Api } from "../api";
import type { CheckReport, CheckStep, MailboxDraft } from "../bindings";
import { setApi } from "../index";
import { CheckRun } from "./check-run.svelte";

const draft = { address: "ann@firm.example" } as MailboxDraft;
const step = (name: CheckStep["step"], state: CheckStep["state"]): CheckStep => ({ step: name, state, ms: 1, words: null, found: null, reason: state === "failed" ? "dns_failure" : null });
const report = (more: Partial<CheckReport> = {}): CheckReport => ({ steps: [], failed: null, same_mailbox: null, presented: null, presented_smtp: null, advice: null, folders: [], ...more });

type Call = { say: (step: CheckStep) => void; end: (report: CheckReport) => void; refuse: (error: unknown) => void };

/** A program whose checks are answered by hand. */
function calls(): Call[] {
  const made: Call[] = [];
  setApi({
    check: (_draft, _password, say) => new Promise<CheckReport>((end, refuse) => made.push({ say, end, refuse })),
  } as Partial<Api> as Api);
  return made;
}

describe("CheckRun", () => {
  it("shows the steps as they come, and ends with the report", async () => {
    const [made, run] = [calls(), new CheckRun()];
    const ended = run.run(draft, null);
    expect(run.running).toBe(true);
    made[0]?.say(step("dns", "running"));
    made[0]?.say(step("dns", "ok"));
    expect(run.steps.map((one) => one.state)).toEqual(["running", "ok"]);
    made[0]?.end(report());
    expect(await ended).toEqual(report());
    expect([run.running, run.fine, run.failed]).toEqual([false, true, null]);
  });

  it("knows the failed step", async () => {
    const [made, run] = [calls(), new CheckRun()];
    const ended = run.run(draft, null);
    const steps = [step("dns", "failed"), step("tcp", "skipped")];
    made[0]?.end(report({ steps, failed: "dns" }));
    await ended;
    expect(run.fine).toBe(false);
    expect(run.failed).toEqual(steps[0]);
  });

  it("does not hear an older run any more", async () => {
    const [made, run] = [calls(), new CheckRun()];
    const first = run.run(draft, null);
    const second = run.run(draft, null);
    made[0]?.say(step("dns", "failed"));
    made[0]?.end(report({ failed: "dns" }));
    expect(await first).toBeNull();
    expect([run.running, run.report, run.steps.length]).toEqual([true, null, 0]);
    made[1]?.end(report());
    expect(await second).not.toBeNull();
    expect(run.fine).toBe(true);
  });

  it("keeps why the call was refused", async () => {
    const [made, run] = [calls(), new CheckRun()];
    const ended = run.run(draft, null);
    made[0]?.refuse({ code: "keychain_locked", message: "", next: null, values: {} });
    expect(await ended).toBeNull();
    expect(run.error).toMatchObject({ code: "keychain_locked" });
    expect([run.running, run.fine]).toEqual([false, false]);
  });
});
