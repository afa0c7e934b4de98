/** The door to the program itself, over Tauri's commands. */
import type { Api } from "./api";

export function realApi(): Api {
  throw new Error("This build has no program behind it.");
}
