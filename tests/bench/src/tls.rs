//! HTTPS in front of the embedded services, because a function in AWS reaches DynamoDB over TLS.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Failure;

/// The roots that a function loads in AWS, about 150.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A certificate for 127.0.0.1, and a file with it and the system's roots.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    roots: PathBuf,
}

impl Tls {
    /// Makes the certificate with `openssl`.
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let [certificate, key, roots] =
            ["tls.crt", "tls.key", "tls-roots.crt"].map(|name| folder.join(name));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-config",
                "/dev/null",
                "-newkey",
                "ec",
                "-noenc",
            ])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args([
                "-subj",
                "/CN=bench",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ])
            .arg("-out")
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key)
            .output()
            .map_err(|error| format!("openssl: {error}"))?;
        if !made.status.success() {
            return Err(String::from_utf8(made.stderr)?.into());
        }
        let both = [std::fs::read(SYSTEM_ROOTS)?, std::fs::read(&certificate)?];
        std::fs::write(&roots, both.concat())?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(&certificate)?],
                PrivateKeyDer::from_pem_file(&key)?,
            )?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            roots,
        })
    }

    /// The file for `SSL_CERT_FILE`.
    pub(super) fn roots(&self) -> &Path {
        &self.roots
    }

    /// Listens for HTTPS and passes it on to a service's plain HTTP. Returns the URL.
    pub(super) async fn in_front_of(&self, service: SocketAddr) -> Result<String, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let acceptor = self.acceptor.clone();
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move { pass_on(caller, &acceptor, service).await });
            }
        });
        Ok(url)
    }
}

async fn pass_on(
    caller: TcpStream,
    acceptor: &TlsAcceptor,
    service: SocketAddr,
) -> std::io::Result<()> {
    caller.set_nodelay(true)?;
    let mut service = TcpStream::connect(service).await?;
    service.set_nodelay(true)?;
    let mut caller = acceptor.accept(caller).await?;
    copy_bidirectional(&mut caller, &mut service).await?;
    Ok(())
}
