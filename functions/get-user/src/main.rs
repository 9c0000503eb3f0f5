//! The Lambda function `get-user`.

fn main() -> Result<(), shared::runtime::Error> {
    shared::runtime::serve(get_user::handle)
}
