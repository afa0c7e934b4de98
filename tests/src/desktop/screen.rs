//! A screen with a window manager on it, and a person's hands.

use super::until;
use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use threadline_testkit::lab::Guarded;
use x11rb::CURRENT_TIME;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask, ImageFormat};
use x11rb::rust_connection::RustConnection;

/// Large enough for the app's window with a margin.
const SIZE: &str = "1360x900x24";

/// Where the app's window is shown.
#[derive(Debug)]
pub struct Screen {
    /// The window manager and the server, stopped in this order; the person's own screen has neither here.
    _own: Option<(Guarded, Guarded)>,
    env: Vec<(String, String)>,
}

impl Screen {
    /// A screen of its own, Xvfb with Openbox, on a display that is free. What the programs say is kept in `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        let log = folder.join("xvfb.log");
        let nothing = Path::new("/dev/null");
        let words = ["Xvfb", "-displayfd", "1", "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset"];
        let mut server = Guarded::start(&words, &[], nothing, &log)?;
        let number: u32 = until("a display", || {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            ensure!(server.ended().is_none(), "Xvfb does not start: {said}. Run `cargo xtask setup`");
            // The number and the end of its line come apart.
            let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
            Ok(whole.lines().rev().find_map(|line| line.trim().parse().ok()))
        })?;
        // There is no graphics card here.
        let env = [
            ("DISPLAY", format!(":{number}")),
            ("GDK_BACKEND", "x11".to_owned()),
            ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let manager = ["openbox", "--sm-disable"];
        let manager = Guarded::start(&manager, &env, nothing, &folder.join("openbox.log"))?;
        let screen = Self { _own: Some((manager, server)), env };
        until("the window manager", || Ok(screen.xdotool(&["get_desktop"])?.status.success().then_some(())))?;
        Ok(screen)
    }

    /// The screen of whoever runs this program; `None` where there is none.
    pub fn of_person() -> Option<Self> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut env = Vec::new();
        if let Some(display) = set("DISPLAY") {
            env.push(("DISPLAY".to_owned(), display));
            let authority = set("XAUTHORITY").or(set("HOME").map(|home| home + "/.Xauthority"));
            env.extend(authority.map(|path| ("XAUTHORITY".to_owned(), path)));
        }
        if let (Some(wayland), Some(folder)) = (set("WAYLAND_DISPLAY"), set("XDG_RUNTIME_DIR")) {
            // Its whole path: the app gets a folder of its own for such things.
            let socket = Path::new(&folder).join(wayland);
            env.push(("WAYLAND_DISPLAY".to_owned(), socket.to_string_lossy().into_owned()));
        }
        (!env.is_empty()).then_some(Self { _own: None, env })
    }

    /// What a program must have in its environment to show its windows here.
    pub fn env(&self) -> &[(String, String)] {
        &self.env
    }

    fn xdotool(&self, words: &[&str]) -> Result<Output> {
        let mut command = Command::new("xdotool");
        command.args(words).envs(self.env.iter().cloned());
        command.output().context("no xdotool: run `cargo xtask setup`")
    }

    /// The windows whose title this expression finds.
    pub fn windows(&self, title: &str) -> Result<Vec<String>> {
        // Its status is 1 where there is none.
        let found = self.xdotool(&["search", "--onlyvisible", "--name", title])?;
        Ok(String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect())
    }

    /// Asks the window manager to close a window, as a taskbar does, and waits until it is gone.
    pub fn close(&self, title: &str) -> Result<()> {
        let window: u32 = until("the window", || Ok(self.windows(title)?.pop()))?.parse()?;
        let (server, root) = self.server()?;
        let close = server.intern_atom(false, b"_NET_CLOSE_WINDOW")?.reply()?.atom;
        const BY_THE_PERSON: u32 = 2;
        let request = ClientMessageEvent::new(32, window, close, [CURRENT_TIME, BY_THE_PERSON, 0, 0, 0]);
        let managers = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        server.send_event(false, root, managers, request)?.check()?;
        until("the window's end", || Ok(self.windows(title)?.is_empty().then_some(())))
    }

    /// A connection to the screen, and its root window.
    fn server(&self) -> Result<(RustConnection, u32)> {
        let display = self.env.iter().find(|(name, _)| name == "DISPLAY").map(|(_, value)| value.as_str());
        let (server, screen) = x11rb::connect(display)?;
        let root = server.setup().roots.get(screen).context("no screen")?.root;
        Ok((server, root))
    }

    /// How many colours there are in the middle of the screen, where the app's window lies.
    pub fn colours(&self) -> Result<usize> {
        let (server, root) = self.server()?;
        let (x, y, width, height) = (480, 300, 400, 300);
        let picture =
            server.get_image(ImageFormat::Z_PIXMAP, root, x, y, width, height, u32::MAX)?.reply()?;
        Ok(picture.data.chunks_exact(4).collect::<HashSet<_>>().len())
    }

    /// Photographs the whole screen into `target/screens/NAME.png`; gives its place.
    pub fn photograph(&self, name: &str) -> Result<PathBuf> {
        let path = screens()?.join(format!("{name}.png"));
        let mut command = Command::new("import");
        command.args(["-window", "root"]).arg(&path).envs(self.env.iter().cloned());
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
