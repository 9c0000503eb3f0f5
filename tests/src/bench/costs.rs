//! What requests ask of DynamoDB, which is the same on every machine.

use tests::costs::Row;

use super::Failure;
use super::table::Table;

/// Which keys each kind of request reads and writes.
pub(super) async fn keys() -> Result<Table, Failure> {
    let mut table = Table::new(["request", "keys"]).with_texts(2);
    for row in measure().await? {
        table.add([row.request.to_owned(), row.keys]);
    }
    Ok(table)
}

/// Each kind of request and what it costs; measured on a thread of its own, because calls that are
/// made at once may be seen to follow one another on more.
pub(super) async fn measure() -> Result<Vec<Row>, Failure> {
    let alone = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok::<_, Failure>(runtime.block_on(tests::costs::measure()))
    });
    alone.await?
}
