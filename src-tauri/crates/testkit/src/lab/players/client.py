"""A mail client that is not ours: submits by SMTP and files the copy in Sent, as Thunderbird and Apple Mail do.

Reads one JSON object from standard input and prints one. Python's own smtplib, imaplib and email do the work."""

import email
import email.policy
import email.utils
import imaplib
import json
import smtplib
import ssl
import sys
from email.message import EmailMessage

job = json.load(sys.stdin)
tls = ssl.create_default_context(cafile=job["ca"])


def mailbox():
    client = imaplib.IMAP4(*job["imap"])
    client.login(job["user"], job["password"])
    return client


def compose():
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = email.utils.formataddr((job["name"], job["user"]))
    message["To"] = ", ".join(job["to"])
    if job["cc"]:
        message["Cc"] = ", ".join(job["cc"])
    message["Subject"] = job["subject"]
    message["Date"] = email.utils.localtime()
    message["Message-ID"] = job["message_id"]
    for name, value in job["headers"]:
        message[name] = value
    message.set_content(job["text"])
    if job["html"]:
        message.add_alternative(job["html"], subtype="html")
    for name, kind, text in job["attachments"]:
        main, sub = kind.split("/", 1)
        message.add_attachment(text.encode(), maintype=main, subtype=sub, filename=name)
    return message


def submit(message):
    if job["smtps"]:
        server = smtplib.SMTP_SSL("localhost", job["smtp_port"], context=tls)
    else:
        server = smtplib.SMTP("localhost", job["smtp_port"])
        server.starttls(context=tls)
    server.login(job["user"], job["password"])
    server.sendmail(job["user"], job["to"] + job["cc"] + job["bcc"], message.as_bytes())
    server.quit()


def file_copy(message):
    """Bcc is kept in the sender's own copy and nowhere else."""
    if job["bcc"]:
        message["Bcc"] = ", ".join(job["bcc"])
    client = mailbox()
    answer, lines = client.append("Sent", "(\\Seen)", None, message.as_bytes())
    if answer != "OK":
        raise SystemExit("APPEND to Sent: %r" % lines)
    client.logout()


def newest(message_id):
    """The header of a message in INBOX, found by its id; None where it has not come yet."""
    client = mailbox()
    client.select("INBOX", readonly=True)
    _, found = client.search(None, "HEADER", "Message-ID", '"%s"' % message_id)
    numbers = found[0].split()
    if not numbers:
        client.logout()
        return None
    _, data = client.fetch(numbers[-1], "(BODY.PEEK[])")
    client.logout()
    return email.message_from_bytes(data[0][1], policy=email.policy.default)


if job["do"] == "send":
    message = compose()
    if job["smtp_port"]:
        submit(message)
    if job["file_copy"]:
        file_copy(message)
    result = {"message_id": job["message_id"]}
elif job["do"] == "find":
    original = newest(job["message_id"])
    result = None
    if original is not None:
        result = {
            "from": email.utils.parseaddr(str(original["From"]))[1],
            "subject": str(original["Subject"] or ""),
            "references": " ".join(str(original["References"] or "").split()),
        }
else:
    raise SystemExit("unknown job")
json.dump(result, sys.stdout)
