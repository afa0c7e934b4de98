/** What Ann and her contacts write about. */
export const SUBJECTS: readonly string[] = [
  "Quote for 40 sensor kits", "Your visit on Tuesday", "Renewal of the service contract", "Delivery date for order 20418",
  "Questions on the pilot", "Sample batch: first results", "Offer 2026-0117, revised", "Trial extended to the end of March",
  "Invoice 88214", "Calibration in the second quarter", "Meeting notes and next steps", "Price list for resellers",
  "Feedback from the lab team", "Purchase order attached", "Security questionnaire", "Introduction to our new colleague",
  "Spare parts for the older line", "Data sheet for the NX-200", "Visit to the fair in Hannover", "Warranty question",
  "Frame contract: comments from legal", "Training for three people", "Follow-up to our call", "Shipping to the Lisbon site",
  "Return of the demo unit", "Budget for next year", "Request for a reference customer", "Installation on 2 April",
  "Payment terms", "Can we move our appointment?",
];

export const SENT: readonly string[] = [
  `Hello {first},

thank you for the good talk this morning. As promised, you find the revised offer attached. The price per kit is the one that we agreed on, and the delivery comes in two parts: 20 kits in week 14, the other 20 in week 17.

Two things I still need from you:
- the address of the second site,
- the name of the person who signs for the goods.

If that suits you, I reserve the slots with our production today.

Kind regards
Ann Keller
Northwind Lab`,
  `Hello {first},

I wanted to ask whether you had the time to look at our proposal. If something is unclear, I am glad to go through it with you; Thursday and Friday afternoon are free on my side.

Kind regards
Ann`,
  `Dear {first},

here is the data sheet that you asked for. The values on page 3 were measured at 23 °C; for the cold store I can have them measured again at 4 °C, which takes about a week.

Best
Ann Keller`,
];

export const RECEIVED: readonly string[] = [
  `Hi Ann,

thanks, that looks good. The address of the second site is Hafenstraße 12, gate 4; Jana from the stores signs for it.

One question: does the service contract begin with the first or with the second delivery? Our finance team would like to have it from the second on.

Best regards
{first}`,
  `Hello Ann,

we discussed it in the team today. The offer is fine for us in principle. Legal has two comments on section 5, see the attached file. I hope that we can sign next week.

Regards
{first} {last}`,
  `Thank you, Ann. Thursday at 14:00 works for us. I will bring our lab manager along.

{first}`,
];

/** Subjects of mail that is nobody's business, shown where a question is asked. */
export const UNKNOWN: readonly { name: string; address: string; subject: string }[] = [
  { name: "Katrin Albers", address: "k.albers@deichwerk.example", subject: "Enquiry: sensor kits for our test bench" },
  { name: "Ben Ashworth", address: "ben@ashworth-partners.example", subject: "Re: Nice to meet you in Hannover" },
  { name: "Ilse Brand", address: "ilse.brand@marlow-print.example", subject: "New project, shall we talk?" },
  { name: "Purchasing", address: "einkauf@brunnental.example", subject: "Anfrage 4711: Kalibrierung" },
];
