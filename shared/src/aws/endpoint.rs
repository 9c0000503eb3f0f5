//! The address of DynamoDB, worked out once.

use std::sync::OnceLock;

use aws_sdk_dynamodb::config::endpoint::{
    DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint,
};

/// The SDK's own rules, asked once.
///
/// They are evaluated anew whenever a call names other tables than the call before, as nearly all
/// of ours do, and come to the same: a client has one region, one configured URL, credentials
/// without an account's id, and tables that go by name and not by ARN; no call is a vector search.
#[derive(Debug, Default)]
pub(super) struct Once {
    rules: DefaultResolver,
    endpoint: OnceLock<Endpoint>,
}

impl ResolveEndpoint for Once {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        if let Some(endpoint) = self.endpoint.get() {
            return EndpointFuture::ready(Ok(endpoint.clone()));
        }
        EndpointFuture::new(async {
            let endpoint = self.rules.resolve_endpoint(params).await?;
            Ok(self.endpoint.get_or_init(|| endpoint).clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(table: &str) -> Params {
        let params = Params::builder().region("eu-central-1").resource_arn(table);
        params.build().unwrap()
    }

    #[tokio::test]
    async fn every_table_is_where_the_sdk_s_own_rules_say() {
        let once = Once::default();

        for table in ["latchkey-users", "latchkey-sessions"] {
            let params = params(table);
            let found = once.resolve_endpoint(&params).await.unwrap();

            let ruled = DefaultResolver::new().resolve_endpoint(&params).await;
            assert_eq!(found, ruled.unwrap(), "{table}");
        }
    }
}
