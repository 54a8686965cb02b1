//! TLS, the CA bundle and the proxy.

use super::double::{Double, read_request};
use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::Mutex;
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const PORTAL: &str = "portal.sso.us-east-1.amazonaws.com";

/// A certification authority for one test.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    fn acceptor(&self, host: &str, expired: bool) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        if expired {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.0).unwrap();
        acceptor(certificate.der().clone(), &key)
    }
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A TLS server that plays good credentials, and a proxy that tunnels every host to it and keeps the CONNECT requests.
struct Network {
    double: Double,
    proxy: u16,
    tunnels: Arc<Mutex<Vec<String>>>,
}

impl Network {
    async fn with(acceptor: TlsAcceptor) -> Self {
        let double = Double::playing(vec![good_credentials()]).await;
        let tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tls_port = tls.local_addr().unwrap().port();
        let behind = double.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = tls.accept().await.unwrap();
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        behind.serve(stream, good_credentials()).await;
                    }
                });
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (proxy, tunnels) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
        tokio::spawn(run_proxy(listener, tls_port, Arc::clone(&tunnels)));
        Self { double, proxy, tunnels }
    }

    fn proxy(&self, user: &str) -> Option<url::Url> {
        Some(url::Url::parse(&format!("http://{user}127.0.0.1:{}", self.proxy)).unwrap())
    }

    fn tunnels(&self) -> Vec<String> {
        self.tunnels.lock().unwrap().clone()
    }
}

async fn run_proxy(listener: TcpListener, tls_port: u16, tunnels: Arc<Mutex<Vec<String>>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let tunnels = Arc::clone(&tunnels);
        tokio::spawn(async move {
            let Some(request) = read_request(&mut stream).await else { return };
            let locked = request.contains("CONNECT locked.");
            tunnels.lock().unwrap().push(request);
            if locked {
                let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
                return;
            }
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let mut target = TcpStream::connect(("127.0.0.1", tls_port)).await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut target).await;
        });
    }
}

fn aws(config: Config) -> SdkAws {
    SdkAws::with_limits(config, clock(), Limits::default(), short().1).unwrap()
}

#[tokio::test]
async fn the_proxy_of_the_settings_tunnels_and_gets_its_password() {
    let authority = Authority::new();
    let network = Network::with(authority.acceptor(PORTAL, false)).await;
    let config =
        Config { proxy: network.proxy("user:p%40ss@"), ca_bundle_pem: Some(authority.pem()), ..Config::default() };
    role_credentials(&aws(config)).await.unwrap();
    let tunnel = &network.tunnels()[0];
    assert!(tunnel.starts_with("CONNECT portal.sso.us-east-1.amazonaws.com:443 HTTP/1.1\r\n"), "{tunnel}");
    // base64 of user:p@ss
    assert!(tunnel.contains("Basic dXNlcjpwQHNz"), "{tunnel}");
    assert!(!tunnel.contains("CANARY") && network.double.asked().len() == 1);
}

#[tokio::test]
async fn no_proxy_goes_straight() {
    let authority = Authority::new();
    let network = Network::with(authority.acceptor("localhost", false)).await;
    let tls = url::Url::parse("https://localhost:1").unwrap();
    let endpoints = EndpointOverrides { sso: Some(tls), ..EndpointOverrides::default() };
    let no_proxy = vec![String::from("example.test"), String::from("localhost")];
    let config = Config { proxy: network.proxy(""), no_proxy, endpoints, ..Config::default() };
    let config = Config { ca_bundle_pem: Some(authority.pem()), ..config };
    assert_unavailable(role_credentials(&aws(config)).await, "port 1 is closed");
    assert!(network.tunnels().is_empty(), "{:?}", network.tunnels());
}

#[tokio::test]
async fn plain_http_on_loopback_never_meets_the_proxy() {
    let authority = Authority::new();
    let network = Network::with(authority.acceptor(PORTAL, false)).await;
    let endpoints = EndpointOverrides { sso: Some(network.double.url()), ..EndpointOverrides::default() };
    let config = Config { proxy: network.proxy(""), endpoints, ..Config::default() };
    role_credentials(&aws(config)).await.unwrap();
    assert!(network.tunnels().is_empty());
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_is_named() {
    let authority = Authority::new();
    let network = Network::with(authority.acceptor(PORTAL, false)).await;
    let locked = url::Url::parse("https://locked.test").unwrap();
    let endpoints = EndpointOverrides { sso: Some(locked), ..EndpointOverrides::default() };
    let config = Config { proxy: network.proxy(""), endpoints, ..Config::default() };
    let config = Config { ca_bundle_pem: Some(authority.pem()), ..config };
    let shown = assert_unavailable(role_credentials(&aws(config)).await, "407");
    assert!(shown.contains("proxy authorization required"), "{shown}");
}

#[tokio::test]
async fn d14_a_certificate_nobody_trusted_vouches_for_is_refused() {
    let authority = Authority::new();
    let other = Authority::new();
    let own_key = KeyPair::generate().unwrap();
    let self_signed = CertificateParams::new(vec![PORTAL.to_owned()]).unwrap().self_signed(&own_key).unwrap();
    for (case, acceptor, trusted) in [
        ("system trust only", authority.acceptor(PORTAL, false), None),
        ("another authority", authority.acceptor(PORTAL, false), Some(other.pem())),
        ("self-signed", acceptor(self_signed.der().clone(), &own_key), Some(authority.pem())),
        ("wrong name", authority.acceptor("oidc.us-east-1.amazonaws.com", false), Some(authority.pem())),
        ("expired", authority.acceptor(PORTAL, true), Some(authority.pem())),
    ] {
        let network = Network::with(acceptor).await;
        let config = Config { proxy: network.proxy(""), ca_bundle_pem: trusted, ..Config::default() };
        let shown = assert_unavailable(role_credentials(&aws(config)).await, case);
        assert!(shown.contains("certificate"), "{case}: {shown}");
        assert_eq!((network.double.asked().len(), network.tunnels().len()), (0, 1), "{case}: asked once, told nothing");
    }
}

#[test]
fn nothing_of_tls_is_loaded_before_the_first_call() {
    let aws = SdkAws::new(Config::default(), clock()).unwrap();
    aws.endpoints(&region()).unwrap();
    assert!(!aws.loaded_tls());
}
