//! The Lambda function `create-user`.

fn main() -> Result<(), shared::runtime::Error> {
    shared::runtime::serve(create_user::handle)
}
