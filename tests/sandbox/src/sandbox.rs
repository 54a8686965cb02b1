//! Starting and stopping a sandbox.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::Path;
use std::thread::JoinHandle;

use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::control::Control;
use crate::settings::Settings;
use crate::state::State;
use crate::tls::{self, Tls};
use crate::{proxy, server};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Where a sandbox listens and how it begins. Port 0 lets the system choose.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Port of the plain HTTP listener.
    pub port: u16,
    /// Port of the TLS listener.
    pub tls_port: u16,
    /// Port of the CONNECT proxy.
    pub proxy_port: u16,
    /// The settings to begin with.
    pub settings: Settings,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener could not be opened.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// The system's word.
        source: io::Error,
    },
    /// The runtime or its thread could not be started.
    #[error("cannot start the sandbox's thread: {source}")]
    Thread {
        /// The system's word.
        source: io::Error,
    },
    /// The CA certificate could not be written to a file.
    #[error("cannot write the CA certificate to a temporary file: {source}")]
    CaFile {
        /// The system's word.
        source: io::Error,
    },
    /// The certificates could not be made.
    #[error("cannot make certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The keys of identity providers could not be made.
    #[error("cannot make signing keys: {0}")]
    SigningKey(ring::error::KeyRejected),
    /// The TLS configuration was refused.
    #[error("cannot configure TLS: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// A running sandbox; it stops when dropped. Everything a test may do to it is on [`Control`].
#[derive(Debug)]
pub struct Sandbox {
    control: Control,
    http: SocketAddr,
    tls: SocketAddr,
    proxy: SocketAddr,
    ca_pem: String,
    ca_file: NamedTempFile,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Deref for Sandbox {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Sandbox {
    /// Starts with default settings on ports the system chooses.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(Options::default())
    }

    /// Starts as the options say.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start_with(options: Options) -> Result<Self, StartError> {
        let Tls { ca_pem, acceptor } = tls::generate()?;
        let ca_file = write_temporary(&ca_pem).map_err(|source| StartError::CaFile { source })?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| StartError::Thread { source })?;
        let context = runtime.enter();
        let (http_listener, http) = listen(options.port)?;
        let (tls_listener, tls) = listen(options.tls_port)?;
        let (proxy_listener, proxy) = listen(options.proxy_port)?;
        let control =
            Control::new(State::new(options.settings, format!("http://{http}")).map_err(StartError::SigningKey)?);
        runtime.spawn(server::serve_http(http_listener, control.clone()));
        runtime.spawn(server::serve_tls(tls_listener, acceptor, control.clone()));
        runtime.spawn(proxy::serve(proxy_listener, tls, control.clone()));
        drop(context);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("aws-sandbox".to_owned()).spawn(move || {
            let _ = runtime.block_on(stopped);
        });
        let thread = Some(thread.map_err(|source| StartError::Thread { source })?);
        Ok(Self { control, http, tls, proxy, ca_pem, ca_file, stop: Some(stop), thread })
    }

    /// The plain HTTP endpoint, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The same over TLS, as `localhost`.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("https://localhost:{}", self.tls.port())
    }

    /// The CONNECT proxy: an `HTTPS_PROXY` value.
    #[must_use]
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy)
    }

    /// The CA certificate of the TLS endpoint.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A file with the same: an `AWS_CA_BUNDLE` value. It goes away with the sandbox.
    #[must_use]
    pub fn ca_pem_path(&self) -> &Path {
        self.ca_file.path()
    }

    /// A handle for other threads.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Needs the context of a runtime, and blocks on none: a sandbox may be started inside another one.
fn listen(port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let bind = || {
        let socket = TcpSocket::new_v4()?;
        // A fixed port is free again at once after a restart.
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bind().map_err(|source| StartError::Listen { port, source })
}

fn write_temporary(pem: &str) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("aws-sandbox-ca-").suffix(".pem").tempfile()?;
    file.write_all(pem.as_bytes())?;
    Ok(file)
}
