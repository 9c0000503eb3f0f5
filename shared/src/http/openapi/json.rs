//! A body, JSON or a form: its schema, the schemas it refers to, and an example.

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, Object, ObjectBuilder, SchemaType, Type,
};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, Schema};

use crate::http::body::Empty;
use crate::http::code::Code;

pub struct Json {
    schema: RefOr<Schema>,
    named: Vec<(String, RefOr<Schema>)>,
    example: Value,
    is_form: bool,
}

impl Json {
    /// A body with the schema of `T`.
    #[must_use]
    pub fn of<T: ToSchema>(example: Value) -> Self {
        let mut named = Vec::new();
        T::schemas(&mut named);
        Self {
            schema: T::schema(),
            named,
            example,
            is_form: false,
        }
    }

    /// A body with the schema of `T` that must have at least one of several fields. `variants` are
    /// pairs of a schema name and the field it requires.
    #[must_use]
    pub fn with_one_of<T: ToSchema>(variants: &[(&str, &str)], example: Value) -> Self {
        let mut body = Self::of::<T>(example);
        let mut either = AnyOfBuilder::new();
        for (name, required) in variants {
            either = either.item(Ref::from_schema_name(*name));
            let mut variant = body.schema.clone();
            require(&mut variant, required);
            body.named.push(((*name).to_owned(), variant));
        }
        body.schema = Schema::AnyOf(either.build()).into();
        body
    }

    /// This body as a form.
    #[must_use]
    pub fn as_form(mut self) -> Self {
        self.is_form = true;
        self
    }

    /// This body, in which all other fields can be left out.
    #[must_use]
    pub fn requiring(mut self, fields: &[&str]) -> Self {
        if let RefOr::T(Schema::Object(object)) = &mut self.schema {
            object.required = fields.iter().map(ToString::to_string).collect();
        }
        self
    }

    /// A body with the schema of `T`, which the client may also send within the field `outer`. The
    /// two forms have these schema names.
    #[must_use]
    pub fn or_wrapped<T: ToSchema>(
        [plain, wrapped]: [&str; 2],
        outer: &str,
        example: Value,
    ) -> Self {
        let mut body = Self::of::<T>(example);
        let reference = Ref::from_schema_name(plain);
        let wrapping = ObjectBuilder::new()
            .property(outer, reference.clone())
            .required(outer)
            .build();
        let either = AnyOfBuilder::new()
            .item(reference)
            .item(Ref::from_schema_name(wrapped))
            .build();
        let fields = std::mem::replace(&mut body.schema, Schema::AnyOf(either).into());
        body.named.push((plain.to_owned(), fields));
        body.named.push((wrapped.to_owned(), wrapping.into()));
        body
    }

    pub(super) fn is_form(&self) -> bool {
        self.is_form
    }

    pub(super) fn media_type(&self) -> &'static str {
        if self.is_form {
            "application/x-www-form-urlencoded"
        } else {
            "application/json"
        }
    }

    /// Whether the body must be sent: an empty body counts as `{}`.
    pub(super) fn is_required(&self) -> bool {
        match &self.schema {
            RefOr::T(Schema::Object(object)) => !object.required.is_empty(),
            _ => true,
        }
    }

    /// This body as a response: every field is present, `null` if unset, and there are no others. See
    /// [`close`].
    pub(super) fn answered(mut self) -> Self {
        close(&mut self.schema);
        for (_, schema) in &mut self.named {
            close(schema);
        }
        self
    }

    /// Adds the schema to `named` under this name, and returns content that refers to it.
    pub(super) fn into_content(
        self,
        name: String,
        named: &mut Vec<(String, RefOr<Schema>)>,
    ) -> Content {
        let reference = Ref::from_schema_name(&name);
        named.extend(self.named);
        named.push((name, self.schema));
        ContentBuilder::new()
            .schema(Some(reference))
            .example(Some(self.example))
            .build()
    }
}

/// A success envelope of the Management family, with the endpoint's payload.
pub(super) fn envelope_of_success(payload: Option<Json>) -> Json {
    let mut payload = payload.unwrap_or_else(|| Json::of::<Empty>(json!({})));
    let members = [
        ("success", Type::Boolean, json!(true)),
        ("code", Type::Integer, json!(Code::Success)),
        ("message", Type::String, json!("")),
    ];
    let mut envelope = Object::new();
    for (name, kind, value) in members {
        if let Some(example) = payload.example.as_object_mut() {
            example.insert(name.to_owned(), value.clone());
        }
        let schema = only(kind, value);
        envelope.properties.insert(name.to_owned(), schema.into());
        envelope.required.push(name.to_owned());
    }
    if let RefOr::T(Schema::Object(object)) = payload.schema {
        envelope.properties.extend(object.properties);
        envelope.required.extend(object.required);
    }
    payload.schema = envelope.into();
    payload.answered()
}

/// A schema that allows only this value.
pub(super) fn only(kind: Type, value: Value) -> Object {
    // utoipa has no `const`, but serializes an extension under any name.
    ObjectBuilder::new()
        .schema_type(kind)
        .extensions(Some(Extensions::from_iter([("const", value)])))
        .build()
}

/// Makes a field required and not nullable.
fn require(schema: &mut RefOr<Schema>, name: &str) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    if !object.required.iter().any(|required| required == name) {
        object.required.push(name.to_owned());
    }
    if let Some(RefOr::T(Schema::Object(field))) = object.properties.get_mut(name)
        && let SchemaType::Array(types) = &field.schema_type
        && let Some(kind) = types.iter().find(|kind| **kind != Type::Null)
    {
        field.schema_type = SchemaType::Type(kind.clone());
    }
}

/// Makes all fields of an object required and allows no others. An optional field that cannot be null stays
/// optional: it is left out if it is not set.
pub(super) fn close(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema
        && object.schema_type == SchemaType::Type(Type::Object)
    {
        let (fields, required) = (&object.properties, &object.required);
        let names = fields.iter().filter(|(name, schema)| {
            required.contains(name)
                || !matches!(schema, RefOr::T(Schema::Object(field))
                if matches!(field.schema_type, SchemaType::Type(_)))
        });
        object.required = names.map(|(name, _)| name.clone()).collect();
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
}
