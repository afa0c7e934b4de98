//! HubSpot's errors.

use serde_json::{Value, json};

/// An answer that says no.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub status: u16,
    pub body: Value,
}

impl Refusal {
    pub fn new(status: u16, category: &str, message: impl Into<String>) -> Self {
        let body = json!({
            "status": "error",
            "message": message.into(),
            "correlationId": "00000000-0000-4000-8000-000000000000",
            "category": category,
        });
        Self { status, body }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    pub fn not_found() -> Self {
        Self::new(404, "OBJECT_NOT_FOUND", "Object not found.")
    }

    pub fn token() -> Self {
        Self::new(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
    }

    pub fn scope(scope: &str) -> Self {
        let mut refusal = Self::new(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call.",
        );
        refusal.body["errors"] = json!([{
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": [scope]},
        }]);
        refusal
    }

    pub fn limit(policy: &str) -> Self {
        let message = format!("You have reached your {} limit.", policy.to_lowercase());
        let mut refusal = Self::new(429, "RATE_LIMITS", message);
        refusal.body["errorType"] = "RATE_LIMIT".into();
        refusal.body["policyName"] = policy.into();
        refusal
    }
}

/// One row's failure inside a 207.
pub(super) fn row_error(category: &str, message: &str, id: &str) -> Value {
    json!({
        "status": "error",
        "category": category,
        "message": message,
        "context": {"ids": [id]},
        "errors": [],
        "links": {},
    })
}
