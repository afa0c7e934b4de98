import { expect, it, vi } from "vitest";

it("resolves the system's choice, and follows it while it is wanted", async () => {
  let told = (): void => {};
  const media = { matches: true, addEventListener: (_: string, hear: () => void) => (told = hear) };
  vi.stubGlobal("matchMedia", () => media);
  const { wearTheme } = await import("./theme");
  const worn = (): string | undefined => document.documentElement.dataset.theme;
  wearTheme("system");
  expect(worn()).toBe("dark");
  media.matches = false;
  told();
  expect(worn()).toBe("light");
  wearTheme("dark");
  told();
  expect(worn()).toBe("dark");
});
