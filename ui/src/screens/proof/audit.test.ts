import { expect, it } from "vitest";
import type { Api } from "../../lib/api";
import type { AuditReport } from "../../lib/bindings";
import { setApi } from "../../lib/index";
import { AuditRun, buckets } from "./audit.svelte";

const report: AuditReport = {
  mailbox: "ann@firm.example", days: 30, at: "2026-03-12T09:24:00Z", messages: 20, logged: 9, waiting: 1, asked: 0,
  ignored: [{ rule: "newsletter", count: 6 }, { rule: "draft", count: 2 }], unruled: 2, older: 0, missed: 0,
  missed_by: [], missed_lines: [], samples: [], fixed: 0,
};

it("puts each message into one bucket, and says of none that it is missed", () => {
  const found = buckets(report);
  expect(found.map((one) => [one.name, one.count])).toEqual([["logged", 9], ["waiting", 1], ["ignored", 8], ["unruled", 2], ["missed", 0]]);
  expect(found.reduce((sum, one) => sum + one.count, 0)).toBe(report.messages);
});

it("keeps the last report while the server is away, and runs once at a time", async () => {
  const asked: boolean[] = [];
  let refuse = false;
  setApi({
    audit: (_of: string, _days: number, fix: boolean) => {
      asked.push(fix);
      return refuse ? Promise.reject({ code: "local_offline", message: "Offline.", next: null, values: {} }) : Promise.resolve({ ...report, fixed: fix ? 1 : 0 });
    },
  } as unknown as Api);
  const run = new AuditRun();
  await Promise.all([run.run("ann@firm.example", 30, false), run.run("ann@firm.example", 30, true)]);
  expect(asked).toEqual([false]);
  refuse = true;
  await run.run("ann@firm.example", 30, true);
  expect([run.report?.messages, run.running, (run.failed as { code: string }).code]).toEqual([20, null, "local_offline"]);
});
