//! Mixed requests through a wire that fails by seed: `make faults` sends many more.

use tests::storm::{self, Patience};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_on_the_way_to_dynamodb_no_promise_is_broken() {
    let report = storm::run(1, 250, Patience::OfTests).await;

    assert!(report.violations.is_empty(), "{report}");
    for status in [200, 400, 401, 403, 429, 503] {
        assert!(report.answered(status) > 0, "no {status}: {report}");
    }
}
