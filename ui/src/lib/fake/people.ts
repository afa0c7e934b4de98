/** Made-up people at made-up firms. */
import type { Association, Mailbox } from "../bindings";
import { pick, random } from "./random";

export const ANN: Mailbox = { name: "Ann Keller", address: "ann.keller@northwind-lab.example" };
export const SALES = "sales@northwind-lab.example";

const FIRST = [
  "Marta", "Jonas", "Priya", "Luis", "Hanna", "Tobias", "Ines", "Mateo", "Sofia", "Daniel", "Yuki", "Clara", "Omar",
  "Greta", "Pavel", "Nora", "Felix", "Amina", "Henrik", "Julia", "Viktor", "Lea", "Samuel", "Ewa", "Rafael", "Mira",
] as const;
const LAST = [
  "Lindqvist", "Brandt", "Raman", "Ferreira", "Vogel", "Hartmann", "Costa", "Ruiz", "Novak", "Okafor", "Tanaka", "Meier",
  "Haddad", "Sommer", "Dvořák", "Bergström", "Keil", "Yilmaz", "Aaltonen", "Moreau", "Petrov", "Schuster", "Eriksen",
] as const;
const FIRMS = [
  "bluebird-logistics.example", "halden-optics.example", "kestrel-foods.example", "ostsee-werft.example", "marlow-print.example",
  "tilia-pharma.example", "redwood-tools.example", "solvang-energy.example", "arcadia-textiles.example", "fjordline-parts.example",
  "quartz-analytics.example", "almendra-foods.example",
] as const;

function plain(name: string): string {
  return name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function make(n: number): Association {
  const next = random(7000 + n);
  const first = pick(next, FIRST);
  const last = pick(next, LAST);
  return {
    address: `${plain(first)}.${plain(last)}@${FIRMS[n % FIRMS.length]}`,
    name: `${first} ${last}`,
    remote_id: next() < 0.94 ? String(51_000 + n) : null,
    may_create: false,
  };
}

/** The contacts of the CRM that Ann writes with. */
export const PEOPLE: readonly Association[] = Array.from({ length: 180 }, (_, n) => make(n));

export function person(n: number): Association {
  const one = PEOPLE[n % PEOPLE.length];
  if (one === undefined) throw new Error("There are no people.");
  return one;
}

export function mailbox(one: Association): Mailbox {
  return { name: one.name ?? null, address: one.address };
}
