//! A route, described where its endpoint is.

use serde_json::json;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    ContentBuilder, HttpMethod, RefOr, Required, Response, ResponseBuilder, ResponsesBuilder,
    Schema,
};

use super::json::{Json, envelope_of_success};
use super::refusals::{self, Answer};
use super::{Asks, headers};
use crate::http::family::Family;
use crate::http::reply::Reply;
use crate::http::{HttpError, request::SMALL_BODY};

/// A route, as its callers know it.
pub struct Route {
    /// By which method it is called.
    pub method: HttpMethod,
    /// Where it is, with `{name}` for a segment that varies.
    pub path: &'static str,
    /// What generated clients call it.
    pub id: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else there is to know.
    pub description: &'static str,
    /// The segment of the path that varies.
    pub parameter: Option<Parameter>,
    /// The body it takes; `None` where nothing is read from one.
    pub body: Option<Json>,
    /// The most bytes of that body.
    pub max_body: usize,
    /// The credentials it asks for.
    pub asks: Asks,
    /// What it answers when all is well; in the Management family, what it adds to the envelope.
    pub answer: Option<Json>,
    /// Whether that answer says where the caller stands against limits.
    pub is_counted: bool,
    /// What it refuses, beside what every route does and what [`Route::asks`] brings.
    pub refuses: Vec<HttpError>,
}

/// A segment of a path that varies: a number.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
}

impl Route {
    /// A `GET` that takes nothing.
    #[must_use]
    pub fn get(path: &'static str, id: &'static str) -> Self {
        Self::new(HttpMethod::Get, path, id)
    }

    /// A `POST`.
    #[must_use]
    pub fn post(path: &'static str, id: &'static str) -> Self {
        Self::new(HttpMethod::Post, path, id)
    }

    /// A route by any method.
    #[must_use]
    pub fn new(method: HttpMethod, path: &'static str, id: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary: "",
            description: "",
            parameter: None,
            body: None,
            max_body: SMALL_BODY,
            asks: Asks::Nothing,
            answer: None,
            is_counted: false,
            refuses: Vec::new(),
        }
    }

    fn family(&self) -> Family {
        Family::of_path(self.path)
    }

    /// The answers to what it refuses.
    pub(super) fn refusals(&mut self) -> Vec<Answer> {
        let everywhere = refusals::everywhere(self.max_body).into_iter();
        let for_credentials = self.asks.refusals();
        let own = std::mem::take(&mut self.refuses);
        refusals::by_status(self.family(), everywhere.chain(for_credentials).chain(own))
    }

    /// The route as the document has it, and the schemas that it refers to.
    pub(super) fn into_operation(
        mut self,
        refusals: Vec<(String, RefOr<Response>)>,
    ) -> (Operation, Vec<(String, RefOr<Schema>)>) {
        let mut named = Vec::new();
        let family = self.family();
        let success = self.success(&mut named);
        let mut operation = OperationBuilder::new()
            .tag(family.name())
            .operation_id(Some(self.id))
            .summary(Some(self.summary))
            .description(Some(self.description))
            .securities(Some(self.asks.requirements()))
            .responses(
                ResponsesBuilder::new()
                    .response("200", success)
                    .responses_from_iter(refusals)
                    .build(),
            );
        if let Some(parameter) = self.parameter {
            operation = operation.parameter(parameter.describe());
        }
        if let Some(body) = self.body.take() {
            let required = if body.is_required() {
                Required::True
            } else {
                Required::False
            };
            let content = body.into_content(&mut named);
            operation = operation.request_body(Some(
                RequestBodyBuilder::new()
                    .content("application/json", content)
                    .required(Some(required))
                    .build(),
            ));
        }
        (operation.build(), named)
    }

    fn success(&mut self, named: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        let answer = self.answer.take().map(Json::answered);
        let answer = match self.family() {
            Family::Appmixer => answer,
            Family::Management => Some(envelope_of_success(answer)),
        };
        let mut response = ResponseBuilder::new().description("It went well.");
        if let Ok(reply) = Reply::ok(&json!({})) {
            response = headers::add(response, &reply.headers);
        }
        if self.is_counted {
            response = headers::add_rate_limit(response);
        }
        let content = answer.map_or_else(
            || ContentBuilder::new().build(),
            |answer| answer.into_content(named),
        );
        response.content("application/json", content).build()
    }
}

impl Parameter {
    fn describe(self) -> utoipa::openapi::path::Parameter {
        ParameterBuilder::new()
            .name(self.name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(self.description))
            .schema(Some(<u64 as utoipa::PartialSchema>::schema()))
            .build()
    }
}

impl Family {
    /// What the family is called in the document.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Appmixer => "Appmixer",
            Self::Management => "Management",
        }
    }
}
