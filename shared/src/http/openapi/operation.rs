//! The description of one endpoint. Each endpoint's crate has one.

use serde_json::json;
use utoipa::PartialSchema;
use utoipa::openapi::path::{self, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    ContentBuilder, RefOr, Required, Response, ResponseBuilder, ResponsesBuilder, Schema,
};

use super::json::{Json, envelope_of_success};
use super::refusals::{self, Answer};
use super::{Asks, headers};
use crate::http::family::Family;
use crate::http::reply::Reply;
use crate::http::{HttpError, request::SMALL_BODY};

/// The description of one endpoint. `local/src/functions.rs` has its method and path.
pub struct Operation {
    /// The name in generated clients. Its schemas are named after it: `signIn` has `SignInRequest`
    /// and `SignInResponse`.
    pub id: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    pub parameters: Vec<Parameter>,
    /// The request body; `None` if the endpoint reads nothing from it.
    pub body: Option<Json>,
    /// The largest body, in bytes. `None` if bodies are ignored.
    pub max_body: Option<usize>,
    pub asks: Asks,
    /// The body of a success; in the Management family, what it adds to the envelope.
    pub answer: Option<Json>,
    /// Whether a success has the `RateLimit` headers.
    pub is_counted: bool,
    /// Whether a success has a `Link` to the next page.
    pub is_paged: bool,
    /// Whether caches may keep a success.
    pub is_cached: bool,
    /// The endpoint's own errors: not those of every endpoint, nor those of [`Operation::asks`].
    pub refuses: Vec<HttpError>,
}

/// A variable segment of the path, or an optional parameter of the query.
pub struct Parameter {
    name: &'static str,
    description: &'static str,
    place: ParameterIn,
    schema: RefOr<Schema>,
}

/// An operation in utoipa's form, and the schemas it refers to.
pub(super) type Described = (path::Operation, Vec<(String, RefOr<Schema>)>);

impl Operation {
    /// An operation without a request or response body.
    #[must_use]
    pub fn new(id: &'static str) -> Self {
        Self {
            id,
            summary: "",
            description: "",
            parameters: Vec::new(),
            body: None,
            max_body: Some(SMALL_BODY),
            asks: Asks::Ignored,
            answer: None,
            is_counted: false,
            is_paged: false,
            is_cached: false,
            refuses: Vec::new(),
        }
    }

    /// All error responses, by status.
    pub(super) fn refusals(&mut self, family: Family) -> Vec<Answer> {
        let is_form = self.body.as_ref().is_some_and(Json::is_form);
        let of_body = self.max_body.into_iter().flat_map(refusals::of_body);
        let of_body =
            of_body.filter(|refusal| !(is_form && matches!(refusal, HttpError::MalformedJson)));
        let everywhere = of_body.chain(refusals::EVERYWHERE);
        let for_credentials = self.asks.refusals();
        let own = std::mem::take(&mut self.refuses);
        refusals::by_status(family, everywhere.chain(for_credentials).chain(own))
    }

    pub(super) fn describe(
        mut self,
        family: Family,
        refusals: Vec<(String, RefOr<Response>)>,
    ) -> Described {
        let mut named = Vec::new();
        let success = self.success(family, &mut named);
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
        for parameter in std::mem::take(&mut self.parameters) {
            operation = operation.parameter(parameter.describe());
        }
        if let Some(body) = self.body.take() {
            let required = if body.is_required() {
                Required::True
            } else {
                Required::False
            };
            let media_type = body.media_type();
            let content = body.into_content(self.name_of("Request"), &mut named);
            operation = operation.request_body(Some(
                RequestBodyBuilder::new()
                    .content(media_type, content)
                    .required(Some(required))
                    .build(),
            ));
        }
        (operation.build(), named)
    }

    /// `SignInRequest` for `signIn` and `Request`.
    fn name_of(&self, what: &str) -> String {
        let (first, rest) = self.id.split_at_checked(1).unwrap_or_default();
        format!("{}{rest}{what}", first.to_uppercase())
    }

    fn success(&mut self, family: Family, named: &mut Vec<(String, RefOr<Schema>)>) -> Response {
        let answer = self.answer.take().map(Json::answered);
        let answer = match family {
            Family::Appmixer | Family::OAuth => answer,
            Family::Management => Some(envelope_of_success(answer)),
        };
        let mut response = ResponseBuilder::new().description("The request succeeded.");
        if let Ok(reply) = Reply::ok(&json!({})) {
            response = headers::add(response, &reply.headers);
        }
        if self.is_cached {
            response = headers::add_cached(response);
        }
        if self.is_counted {
            response = headers::add_rate_limit(response);
        }
        if self.is_paged {
            response = headers::add_link(response);
        }
        let content = answer.map_or_else(
            || ContentBuilder::new().build(),
            |answer| answer.into_content(self.name_of("Response"), named),
        );
        response.content("application/json", content).build()
    }
}

impl Parameter {
    /// A variable segment of the path.
    #[must_use]
    pub fn in_path<T: PartialSchema>(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            place: ParameterIn::Path,
            schema: T::schema(),
        }
    }

    /// An optional parameter of the query.
    #[must_use]
    pub fn in_query<T: PartialSchema>(name: &'static str, description: &'static str) -> Self {
        Self {
            place: ParameterIn::Query,
            ..Self::in_path::<T>(name, description)
        }
    }

    /// An optional parameter of the query that is an integer from `min` to `max`.
    #[must_use]
    pub fn number_in_query(
        name: &'static str,
        description: &'static str,
        (min, max): (usize, usize),
    ) -> Self {
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(min))
            .maximum(Some(max))
            .build();
        Self {
            schema: number.into(),
            ..Self::in_query::<String>(name, description)
        }
    }

    /// An optional parameter of the query that has one of these values.
    #[must_use]
    pub fn choice_in_query(
        name: &'static str,
        description: &'static str,
        values: &[&'static str],
    ) -> Self {
        let choice = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(values.iter().copied()))
            .build();
        Self {
            schema: choice.into(),
            ..Self::in_query::<String>(name, description)
        }
    }

    fn describe(self) -> path::Parameter {
        let required = match self.place {
            ParameterIn::Path => Required::True,
            _ => Required::False,
        };
        ParameterBuilder::new()
            .name(self.name)
            .parameter_in(self.place)
            .required(required)
            .description(Some(self.description))
            .schema(Some(self.schema))
            .build()
    }
}

impl Family {
    /// The family's name in the document.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Appmixer => "Appmixer",
            Self::Management => "Management",
            Self::OAuth => "OAuth",
        }
    }
}
