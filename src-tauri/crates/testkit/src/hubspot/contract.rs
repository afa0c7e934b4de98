//! Checks requests and answers against an OpenAPI file: a field that is not in the contract is a violation, as is
//! a missing one or one of the wrong type.
//!
//! Read are the parts of OpenAPI 3.1 that our file uses: `$ref` into `components`, `type` (one or several),
//! `properties`, `required`, `additionalProperties`, `items`, `enum`, lengths, counts, `format: digits`.

use hyper::Method;
use serde_json::{Map, Value};

/// An OpenAPI file, read once.
#[derive(Debug)]
pub struct Contract {
    file: Value,
}

/// One operation of the contract and what its path holds.
#[derive(Debug)]
pub struct Operation<'a> {
    pub id: &'a str,
    /// The scope that the token needs, from `x-scope`.
    pub scope: Option<&'a str>,
    /// The values of the path's `{…}`, in order.
    pub params: Vec<String>,
    definition: &'a Value,
}

impl Contract {
    /// Fails where the text is no JSON object with paths.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Value = serde_json::from_str(text).map_err(|e| format!("the contract is not JSON: {e}"))?;
        file["paths"].as_object().ok_or("the contract has no paths")?;
        Ok(Self { file })
    }

    /// The operation that a request is for. A slash at the end of the path does not count.
    pub fn operation(&self, method: &Method, path: &str) -> Option<Operation<'_>> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut best: Option<(usize, &Value, Vec<String>)> = None;
        for (template, methods) in self.file["paths"].as_object()? {
            let names: Vec<&str> = template.trim_matches('/').split('/').collect();
            if names.len() != parts.len() {
                continue;
            }
            let mut params = Vec::new();
            let fits = names.iter().zip(&parts).all(|(name, part)| {
                if name.starts_with('{') {
                    params.push((*part).to_owned());
                    !part.is_empty()
                } else {
                    name == part
                }
            });
            // `contacts/search` is not the contact named `search`.
            if fits && best.as_ref().is_none_or(|(n, ..)| params.len() < *n) {
                best = Some((params.len(), methods, params));
            }
        }
        let (_, methods, params) = best?;
        let definition = methods.get(method.as_str().to_lowercase())?;
        let id = definition["operationId"].as_str()?;
        Some(Operation { id, scope: definition["x-scope"].as_str(), params, definition })
    }

    /// What is wrong with a request. `body` is `None` where there is none.
    pub fn request(
        &self,
        op: &Operation<'_>,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let parameters = op.definition["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let known = |name: &str| parameters.iter().find(|p| p["in"] == "query" && p["name"] == name);
        for (name, value) in query {
            let Some(parameter) = known(name) else {
                wrong.push(format!("{}: query {name}: not in the contract", op.id));
                continue;
            };
            let typed = match parameter["schema"]["type"].as_str() {
                Some("integer") => value.parse::<i64>().map_or(Value::Null, Value::from),
                Some("boolean") => value.parse::<bool>().map_or(Value::Null, Value::from),
                _ => Value::from(value.as_str()),
            };
            self.check(&parameter["schema"], &typed, &format!("{}: query {name}", op.id), &mut wrong);
        }
        for parameter in parameters.iter().filter(|p| p["required"] == true && p["in"] == "query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !query.iter().any(|(n, _)| n == name) {
                wrong.push(format!("{}: query {name}: missing", op.id));
            }
        }
        let schema = &op.definition["requestBody"]["content"]["application/json"]["schema"];
        match (schema.is_null(), body) {
            (false, Some(body)) => self.check(schema, body, &format!("{}: request", op.id), &mut wrong),
            (false, None) => wrong.push(format!("{}: request: no body", op.id)),
            (true, Some(_)) => wrong.push(format!("{}: request: a body where none belongs", op.id)),
            (true, None) => {}
        }
        wrong
    }

    /// What is wrong with an answer.
    pub fn answer(&self, op: &Operation<'_>, status: u16, body: Option<&Value>) -> Vec<String> {
        let mut wrong = Vec::new();
        let responses = &op.definition["responses"];
        let response = match &responses[status.to_string()] {
            Value::Null if status >= 400 => &self.file["components"]["responses"]["Error"],
            found => found,
        };
        if response.is_null() {
            return vec![format!("{}: answer {status}: not in the contract", op.id)];
        }
        let schema = &response["content"]["application/json"]["schema"];
        match (schema.is_null(), body) {
            (false, Some(body)) => {
                self.check(schema, body, &format!("{}: answer {status}", op.id), &mut wrong);
            }
            (false, None) => wrong.push(format!("{}: answer {status}: no body", op.id)),
            (true, Some(_)) => wrong.push(format!("{}: answer {status}: a body where none belongs", op.id)),
            (true, None) => {}
        }
        wrong
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let found = self.file.pointer(reference.trim_start_matches('#'));
            return match found {
                Some(schema) => self.check(schema, value, at, wrong),
                None => wrong.push(format!("{at}: the contract has no {reference}")),
            };
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            wrong.push(format!("{at}: not one of the values that the contract lists"));
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        if !types.iter().any(|t| is_a(value, t)) {
            wrong.push(format!("{at}: not of type {}", types.join(" or ")));
            return;
        }
        let count = |name: &str| schema[name].as_u64().and_then(|n| usize::try_from(n).ok());
        let mut size = |len: usize, least: &str, most: &str| {
            if count(least).is_some_and(|n| len < n) || count(most).is_some_and(|n| len > n) {
                wrong.push(format!("{at}: {len} is outside what the contract allows"));
            }
        };
        match value {
            Value::String(text) => {
                size(text.len(), "minLength", "maxLength");
                if schema["format"] == "digits"
                    && (text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()))
                {
                    wrong.push(format!("{at}: not a number in digits"));
                }
            }
            Value::Array(items) => {
                size(items.len(), "minItems", "maxItems");
                for (i, item) in items.iter().enumerate() {
                    self.check(&schema["items"], item, &format!("{at}[{i}]"), wrong);
                }
            }
            Value::Number(number) => {
                let bound = |name: &str| schema[name].as_i64();
                let outside = |n: i64| {
                    bound("maximum").is_some_and(|most| n > most)
                        || bound("minimum").is_some_and(|least| n < least)
                };
                let text = if number.as_i64().is_some_and(outside) {
                    "outside what the contract allows"
                } else {
                    ""
                };
                wrong.extend((!text.is_empty()).then(|| format!("{at}: {text}")));
            }
            Value::Object(fields) => self.check_fields(schema, fields, at, wrong),
            _ => {}
        }
    }

    fn check_fields(&self, schema: &Value, fields: &Map<String, Value>, at: &str, wrong: &mut Vec<String>) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                wrong.push(format!("{at}.{name}: missing"));
            }
        }
        for (name, value) in fields {
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Value::Null, Value::Null | Value::Bool(false)) => {
                    wrong.push(format!("{at}.{name}: not in the contract"));
                }
                (Value::Null, Value::Bool(true)) => {}
                (Value::Null, other) => self.check(other, value, &format!("{at}.{name}"), wrong),
                (known, _) => self.check(known, value, &format!("{at}.{name}"), wrong),
            }
        }
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn contract() -> Contract {
        Contract::parse(
            &json!({
                "paths": {
                    "/things/{id}": {"get": {"operationId": "get", "responses": {"204": {}}}},
                    "/things/search": {"post": {
                        "operationId": "search",
                        "parameters": [{"in": "query", "name": "limit", "required": true, "schema": {"type": "integer", "maximum": 5}}],
                        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}},
                        "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": {"type": ["string", "null"]}}}}}}
                    }}
                },
                "components": {"schemas": {"Ask": {"type": "object", "required": ["a"], "properties": {
                    "a": {"type": "string", "enum": ["x"]}, "b": {"type": "string", "format": "digits"}
                }}}}
            })
            .to_string(),
        )
        .unwrap()
    }

    #[test]
    fn every_kind_of_violation_is_seen() {
        let contract = contract();
        let op = contract.operation(&Method::POST, "/things/search/").unwrap();
        let query = |n: &str| vec![("limit".to_owned(), n.to_owned())];
        let count =
            |q: &[(String, String)], body: Option<Value>| contract.request(&op, q, body.as_ref()).len();
        assert_eq!(count(&query("5"), Some(json!({"a": "x", "b": "1"}))), 0);
        assert_eq!(count(&[], Some(json!({"a": "x"}))), 1, "a missing query");
        assert_eq!(count(&query("6"), Some(json!({"a": "x"}))), 1, "too large");
        assert_eq!(count(&query("x"), Some(json!({"a": "x"}))), 1, "not a number");
        assert_eq!(count(&query("5"), None), 1, "no body");
        assert_eq!(count(&query("5"), Some(json!({"b": "1"}))), 1, "a missing field");
        assert_eq!(count(&query("5"), Some(json!({"a": "x", "c": 1}))), 1, "an unknown field");
        assert_eq!(count(&query("5"), Some(json!({"a": "y"}))), 1, "an unknown value");
        assert_eq!(count(&query("5"), Some(json!({"a": "x", "b": "1a"}))), 1, "no digits");
        assert_eq!(contract.answer(&op, 200, Some(&json!(["a", null]))).len(), 0);
        assert_eq!(contract.answer(&op, 200, Some(&json!(["a", 1]))).len(), 1);
        assert_eq!(contract.answer(&op, 201, Some(&json!([]))).len(), 1, "an unknown status");
        let get = contract.operation(&Method::GET, "/things/7").unwrap();
        assert_eq!(get.params, ["7"]);
        assert_eq!(contract.answer(&get, 204, None).len(), 0);
        assert_eq!(contract.answer(&get, 204, Some(&json!({}))).len(), 1, "a body too much");
        assert!(contract.operation(&Method::DELETE, "/things/7").is_none());
    }
}
