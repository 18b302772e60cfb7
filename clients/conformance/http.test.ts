import { serverAudits } from "graphql-http";
import { expect, inject, test } from "vitest";

const audits = serverAudits({ url: `${inject("server")}/graphql`, fetchFn: fetch });

test("there are 61 audits", () => {
  expect(audits).toHaveLength(61);
});

test.each(audits)("$id $name", async (audit) => {
  const result = await audit.fn();
  expect(result.status, "reason" in result ? result.reason : "").toBe("ok");
});
