"""HubSpot's official client against the fake HubSpot: does the fake speak HubSpot?

Arguments: the fake's URL and its token. The fake has one owner, sam@own.example.
"""

import sys
import tempfile

import hubspot
from hubspot.crm import contacts, objects, properties
from hubspot.crm.associations import v4
from hubspot.files import ApiException as FilesException  # noqa: F401  (the client must have it)

url, token = sys.argv[1:3]
client = hubspot.Client.create(access_token=token, host=url)
KEY = "threadline_message_id"


def refused(status, call):
    """The call must be refused with this status."""
    try:
        call()
    except Exception as error:  # each package has its own ApiException
        assert getattr(error, "status", None) == status, error
        return error
    raise AssertionError(f"{status} was expected")


# Contacts: make, conflict, read, change, list, search.
basic = client.crm.contacts.basic_api
ann = basic.create(
    contacts.SimplePublicObjectInputForCreate(
        properties={"email": "ann@buyer.example", "firstname": "Ann", "lastname": "Lee"}
    )
)
assert ann.id.isdigit() and ann.properties["email"] == "ann@buyer.example", ann
conflict = refused(
    409,
    lambda: basic.create(
        contacts.SimplePublicObjectInputForCreate(properties={"email": "ann@buyer.example"})
    ),
)
assert f"Existing ID: {ann.id}" in conflict.body, conflict.body
assert basic.get_by_id("ann@buyer.example", id_property="email", properties=["email"]).id == ann.id
batch = client.crm.contacts.batch_api.read(
    contacts.BatchReadInputSimplePublicObjectId(
        id_property="email",
        properties=["email"],
        properties_with_history=[],
        inputs=[
            contacts.SimplePublicObjectId(id="ann@buyer.example"),
            contacts.SimplePublicObjectId(id="nobody@buyer.example"),
        ],
    )
)
assert [c.id for c in batch.results] == [ann.id], batch
assert batch.num_errors == 1 and batch.errors[0].context["ids"] == ["nobody@buyer.example"], batch
page = basic.get_page(limit=100, properties=["email", "lastmodifieddate"])
assert [c.id for c in page.results] == [ann.id] and page.paging is None, page
found = client.crm.contacts.search_api.do_search(
    contacts.PublicObjectSearchRequest(
        filter_groups=[
            contacts.FilterGroup(
                filters=[contacts.Filter(property_name="lastmodifieddate", operator="GT", value="0")]
            )
        ],
        sorts=[{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
        properties=["email"],
        limit=100,
    )
)
assert found.total == 1 and found.results[0].id == ann.id, found

# The property that must be unique.
core = client.crm.properties.core_api
made = core.create(
    "emails",
    properties.PropertyCreate(
        name=KEY,
        label="Threadline message id",
        type="string",
        field_type="text",
        group_name="emailinformation",
        has_unique_value=True,
    ),
)
assert made.has_unique_value and made.name == KEY, made
names = {p.name: p for p in core.get_all("emails").results}
assert names[KEY].has_unique_value, names
assert names["hs_email_thread_id"].modification_metadata.read_only_value, names
refused(409, lambda: core.create("emails", properties.PropertyCreate(
    name=KEY, label="x", type="string", field_type="text", group_name="emailinformation")))

# Owners.
owner = client.crm.owners.owners_api.get_page(email="sam@own.example").results[0]
assert owner.email == "sam@own.example" and owner.type == "PERSON", owner

# Emails: upsert makes, then changes; create makes each time.
key = "a" * 64
fields = {
    "hs_timestamp": "1772618340000",
    "hs_email_direction": "EMAIL",
    "hs_email_status": "SENT",
    "hs_email_subject": "Offer",
    "hs_email_text": "Dear Ann",
    "hs_email_message_id": "<Offer@own.example>",
    "hubspot_owner_id": owner.id,
}
emails = client.crm.objects


def upsert(subject):
    return emails.batch_api.upsert(
        "emails",
        objects.BatchInputSimplePublicObjectBatchInputUpsert(
            inputs=[
                objects.SimplePublicObjectBatchInputUpsert(
                    id=key, id_property=KEY, properties=dict(fields, hs_email_subject=subject)
                )
            ]
        ),
    ).results[0]


first, second = upsert("Offer"), upsert("Offer, changed")
assert first.new and not second.new and first.id == second.id, (first, second)
mail = emails.basic_api.get_by_id("emails", key, id_property=KEY, properties=["hs_email_subject"])
assert mail.id == first.id and mail.properties["hs_email_subject"] == "Offer, changed", mail
refused(404, lambda: emails.basic_api.get_by_id("emails", "1"))
created = emails.batch_api.create(
    "emails",
    objects.BatchInputSimplePublicObjectBatchInputForCreate(
        inputs=[
            objects.SimplePublicObjectInputForCreate(
                properties={"hs_timestamp": "1772618340000", "hs_email_subject": "Second"},
                associations=[
                    objects.PublicAssociationsForObject(
                        to=objects.PublicObjectId(id=ann.id),
                        types=[
                            objects.AssociationSpec(
                                association_category="HUBSPOT_DEFINED", association_type_id=198
                            )
                        ],
                    )
                ],
            )
        ]
    ),
).results[0]
assert created.id != first.id, created
read = emails.batch_api.read(
    "emails",
    objects.BatchReadInputSimplePublicObjectId(
        id_property=KEY,
        properties=[KEY],
        properties_with_history=[],
        inputs=[objects.SimplePublicObjectId(id=key)],
    ),
)
assert [m.id for m in read.results] == [first.id], read
found = emails.search_api.do_search(
    "emails",
    objects.PublicObjectSearchRequest(
        filter_groups=[
            objects.FilterGroup(
                filters=[
                    objects.Filter(
                        property_name="hs_email_message_id",
                        operator="IN",
                        values=["<offer@own.example>", "offer@own.example"],
                    )
                ]
            )
        ],
        properties=["hs_email_message_id"],
        limit=200,
    ),
)
assert found.total == 1 and found.results[0].id == first.id, found

# Associations, one and many.
links = client.crm.associations.v4
one = links.basic_api.create_default("emails", first.id, "contacts", ann.id)
assert one.results[0].association_spec.association_type_id == 198, one
many = links.batch_api.create_default(
    "emails",
    "contacts",
    v4.BatchInputPublicDefaultAssociationMultiPost(
        inputs=[
            v4.PublicDefaultAssociationMultiPost(
                _from=v4.PublicObjectId(id=first.id), to=v4.PublicObjectId(id=ann.id)
            )
        ]
    ),
)
assert many.status == "COMPLETE" and len(many.results) == 1, many
for email in (first, created):
    there = links.basic_api.get_page("emails", email.id, "contacts").results
    assert [str(l.to_object_id) for l in there] == [ann.id], there

# Files.
with tempfile.NamedTemporaryFile(suffix=".txt") as file:
    file.write(b"an offer")
    file.flush()
    stored = client.files.files_api.upload(
        file=file.name, folder_path="/threadline", options='{"access":"PRIVATE"}'
    )
assert stored.id.isdigit() and stored.access == "PRIVATE" and stored.size == 8, stored

# Gone is gone.
emails.basic_api.archive("emails", created.id)
refused(404, lambda: emails.basic_api.get_by_id("emails", created.id))

# A token that is not accepted.
stranger = hubspot.Client.create(access_token="pat-wrong", host=url)
refused(401, lambda: stranger.crm.contacts.basic_api.get_page())

print("all is well")
