//! A headless Chromium, driven over the WebDriver protocol (W3C).

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};

const DRIVER: &str = "chromedriver";
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser with a window and a fresh profile; it ends with this value.
pub struct Browser {
    client: reqwest::Client,
    /// Address of the session.
    session: String,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one. `None` where none is installed and `CI` is not `true`; then it says so.
    pub async fn start() -> Option<Self> {
        let spawned = Command::new(DRIVER).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let (Some(binary), Ok(mut driver)) = (installed_browser(), spawned) else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{DRIVER} or Chromium is not installed");
            eprintln!("skipped: {DRIVER} or Chromium is not installed");
            return None;
        };
        let base = format!("http://127.0.0.1:{}", announced_port(&mut driver));
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"binary": binary, "args": arguments},
        }}});
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut browser = Self { client, session: format!("{base}/session"), driver, _profile: profile };
        let answer = browser.post("", &capabilities).await;
        browser.session = format!("{base}/session/{}", answer["sessionId"].as_str().expect("a session"));
        Some(browser)
    }

    /// Sets the size of the screen in CSS pixels, its density, and the colour scheme.
    pub async fn screen(&self, width: u32, height: u32, density: f64, scheme: &str) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": density, "mobile": true});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await;
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &media).await;
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url})).await;
    }

    /// Runs the body of a function in the page.
    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []})).await
    }

    /// A PNG of the screen, or of the whole page.
    pub async fn picture(&self, whole: bool) -> Vec<u8> {
        let options = json!({"format": "png", "captureBeyondViewport": whole});
        let answer = self.devtools("Page.captureScreenshot", &options).await;
        base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()
    }

    /// The height of the page in CSS pixels.
    pub async fn page_height(&self) -> u32 {
        self.run("return document.documentElement.scrollHeight").await.as_u64().unwrap() as u32
    }

    /// Ends the session, and the browser with it.
    pub async fn quit(self) {
        let _ = self.client.delete(&self.session).send().await;
    }

    async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.client.post(format!("{}{path}", self.session)).json(body).send().await.unwrap();
        let good = answer.status().is_success();
        let mut answer: Value = answer.json().await.unwrap();
        assert!(good, "{path}: {answer}");
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn installed_browser() -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let candidates = BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|file| file.is_file()).map(|file| file.display().to_string())
}

/// The port that the driver says it listens on.
fn announced_port(driver: &mut Child) -> u16 {
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.contains("started successfully on port")).unwrap();
    line.trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap()
}
