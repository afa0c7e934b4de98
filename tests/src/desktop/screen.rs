//! A screen with a window manager on it, and a person's hands.

use super::until;
use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use threadline_testkit::lab::Guarded;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

/// Large enough for the app's window with a margin.
const SIZE: &str = "1360x900x24";

/// Xvfb with Openbox; gone when dropped.
#[derive(Debug)]
pub struct Screen {
    // Stopped in this order.
    _manager: Guarded,
    _server: Guarded,
    number: u32,
}

impl Screen {
    /// Takes a display that is free. What the programs say is kept in `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        let log = folder.join("xvfb.log");
        let nothing = Path::new("/dev/null");
        let words = ["Xvfb", "-displayfd", "1", "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset"];
        let mut server = Guarded::start(&words, &[], nothing, &log)?;
        let number = until("a display", || {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            ensure!(server.ended().is_none(), "Xvfb does not start: {said}. Run `cargo xtask setup`");
            // The number and the end of its line come apart.
            let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
            Ok(whole.lines().rev().find_map(|line| line.trim().parse().ok()))
        })?;
        let env = [("DISPLAY".to_owned(), format!(":{number}"))];
        let manager = ["openbox", "--sm-disable"];
        let manager = Guarded::start(&manager, &env, nothing, &folder.join("openbox.log"))?;
        let screen = Self { _manager: manager, _server: server, number };
        until("the window manager", || Ok(screen.xdotool(&["get_desktop"])?.status.success().then_some(())))?;
        Ok(screen)
    }

    /// As it stands in `DISPLAY`.
    pub fn display(&self) -> String {
        format!(":{}", self.number)
    }

    fn xdotool(&self, words: &[&str]) -> Result<Output> {
        let mut command = Command::new("xdotool");
        command.args(words).env("DISPLAY", self.display());
        command.output().context("no xdotool: run `cargo xtask setup`")
    }

    /// The windows whose title this expression finds.
    pub fn windows(&self, title: &str) -> Result<Vec<String>> {
        // Its status is 1 where there is none.
        let found = self.xdotool(&["search", "--onlyvisible", "--name", title])?;
        Ok(String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect())
    }

    /// Closes a window by the window manager's keys, and waits until it is gone.
    pub fn close(&self, title: &str) -> Result<()> {
        let window = until("the window", || Ok(self.windows(title)?.pop()))?;
        let done =
            self.xdotool(&["windowactivate", "--sync", &window, "key", "--clearmodifiers", "alt+F4"])?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        until("the window's end", || Ok(self.windows(title)?.is_empty().then_some(())))
    }

    /// How many colours there are in the middle of the screen, where the app's window lies.
    pub fn colours(&self) -> Result<usize> {
        let (server, screen) = x11rb::connect(Some(&self.display()))?;
        let root = server.setup().roots.get(screen).context("no screen")?.root;
        let (x, y, width, height) = (480, 300, 400, 300);
        let picture =
            server.get_image(ImageFormat::Z_PIXMAP, root, x, y, width, height, u32::MAX)?.reply()?;
        Ok(picture.data.chunks_exact(4).collect::<HashSet<_>>().len())
    }

    /// Photographs the whole screen into `target/screens/NAME.png`; gives its place.
    pub fn photograph(&self, name: &str) -> Result<PathBuf> {
        let path = screens()?.join(format!("{name}.png"));
        let mut command = Command::new("import");
        command.args(["-window", "root"]).arg(&path).env("DISPLAY", self.display());
        let done = command.output().context("no ImageMagick: run `cargo xtask setup`")?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(path)
    }
}

/// Where photographs are kept: `target/screens`.
pub fn screens() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target =
        own.ancestors().find(|path| path.ends_with("target")).or(own.parent()).context("no build folder")?;
    let folder = target.join("screens");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
