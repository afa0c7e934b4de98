//! The desktop's panel, as far as a tray icon speaks to it: where the icon announces itself, what it shows, its menu.
//! <https://specifications.freedesktop.org/status-notifier-item/latest/>; the menu is `com.canonical.dbusmenu`.

use super::until;
use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Structure, Value};

const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// A connection to a test's own message bus.
pub(super) fn bus(at: &Path) -> Result<Connection> {
    let address = format!("unix:path={}", at.display());
    Ok(connection::Builder::address(address.as_str())?.build()?)
}

/// An icon: its owner's name on the bus, its path there, and when it announced itself.
#[derive(Debug, Clone)]
struct Icon {
    name: String,
    path: String,
    at: Instant,
}

/// The icons, in the order in which they announced themselves.
#[derive(Debug, Clone, Default)]
struct Watcher(Arc<Mutex<Vec<Icon>>>);

impl Watcher {
    fn icons(&self) -> MutexGuard<'_, Vec<Icon>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, item: String, #[zbus(header)] header: zbus::message::Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // A path of the sender's, or a name with the usual path.
        let (name, path) = match item.starts_with('/') {
            true => (sender, item),
            false => (item, "/StatusNotifierItem".to_owned()),
        };
        self.icons().push(Icon { name, path, at: Instant::now() });
    }

    fn register_status_notifier_host(&self, _host: String) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.icons().iter().map(|icon| format!("{}{}", icon.name, icon.path)).collect()
    }
}

/// One line of the menu. A separator has no label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: i32,
    pub label: String,
    pub enabled: bool,
    /// How deep it lies: 0 in the menu itself, 1 in a menu below it.
    pub depth: usize,
}

/// The panel.
#[derive(Debug)]
pub struct Tray {
    connection: Connection,
    watcher: Watcher,
}

impl Tray {
    pub(super) fn on(at: &Path) -> Result<Self> {
        let (connection, watcher) = (bus(at)?, Watcher::default());
        connection.object_server().at("/StatusNotifierWatcher", watcher.clone())?;
        connection.request_name("org.kde.StatusNotifierWatcher")?;
        Ok(Self { connection, watcher })
    }

    /// When each icon announced itself, the first one first.
    pub fn announced(&self) -> Vec<Instant> {
        self.watcher.icons().iter().map(|icon| icon.at).collect()
    }

    /// Whether an icon has announced itself.
    pub fn is_there(&self) -> bool {
        !self.watcher.icons().is_empty()
    }

    fn proxy(&self, interface: &'static str) -> Result<Proxy<'static>> {
        let last = self.watcher.icons().last().cloned().context("no tray icon has announced itself")?;
        if interface == ITEM {
            return Ok(Proxy::new(&self.connection, last.name, last.path, ITEM)?);
        }
        let menu: OwnedObjectPath = self.proxy(ITEM)?.get_property("Menu")?;
        Ok(Proxy::new(&self.connection, last.name, menu, MENU)?)
    }

    /// The file that the icon is drawn from.
    fn icon_file(&self) -> Result<PathBuf> {
        let item = self.proxy(ITEM)?;
        let (name, folder): (String, String) =
            (item.get_property("IconName")?, item.get_property("IconThemePath")?);
        let path = Path::new(&folder).join(&name);
        Ok(if path.exists() { path } else { Path::new(&folder).join(name + ".png") })
    }

    /// Which of the project's icons is shown: `needs_attention-dark`. `None` while the file changes.
    pub fn icon(&self) -> Result<Option<String>> {
        let shown = match pixels(&self.icon_file()?) {
            Ok(shown) => shown,
            Err(_) => return Ok(None),
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../icons/tray");
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if pixels(&path)? == shown {
                return Ok(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        bail!("the tray shows an icon that is not in {}", folder.display())
    }

    /// Waits until the icon of this state is shown: `offline` in light or dark, or `offline-dark`.
    pub fn wait_for_icon(&self, state: &str) -> Result<()> {
        until(&format!("the tray's icon {state}"), || {
            let icon = if self.is_there() { self.icon()? } else { None };
            Ok(icon.is_some_and(|icon| icon.starts_with(state)).then_some(()))
        })
    }

    /// All lines of the menu, from top to bottom.
    pub fn menu(&self) -> Result<Vec<Line>> {
        let menu = self.proxy(MENU)?;
        let none: &[&str] = &[];
        let (_, root): (u32, Layout) = menu.call("GetLayout", &(0_i32, -1_i32, none))?;
        let mut lines = Vec::new();
        for child in root.2 {
            flatten(child, 0, &mut lines)?;
        }
        Ok(lines)
    }

    /// Waits for a line whose label begins so.
    pub fn wait_for_line(&self, label: &str) -> Result<Line> {
        let found = until(&format!("the tray's line {label:?}"), || {
            let lines = if self.is_there() { self.menu()? } else { Vec::new() };
            Ok(lines.into_iter().find(|line| line.label.starts_with(label)))
        });
        found.map_err(|e| e.context(format!("the menu is {:#?}", self.menu())))
    }

    /// Chooses the line whose label begins so.
    pub fn choose(&self, label: &str) -> Result<()> {
        let line = self.wait_for_line(label)?;
        ensure!(line.enabled, "{line:?} cannot be chosen");
        let event = (line.id, "clicked", Value::from(0_i32), 0_u32);
        self.proxy(MENU)?.call::<_, _, ()>("Event", &event)?;
        Ok(())
    }
}

/// Id, properties, children.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

fn flatten(value: OwnedValue, depth: usize, lines: &mut Vec<Line>) -> Result<()> {
    let (id, properties, children) = Layout::try_from(Structure::try_from(value)?)?;
    let flag = |name: &str| properties.get(name).and_then(|v| bool::try_from(v).ok()).unwrap_or(true);
    if !flag("visible") {
        return Ok(());
    }
    let label = properties.get("label").and_then(|v| <&str>::try_from(v).ok()).unwrap_or_default();
    // One underscore marks the key, two stand for one.
    let label = label.replace("__", "\u{0}").replace('_', "").replace('\u{0}', "_");
    lines.push(Line { id, label, enabled: flag("enabled"), depth });
    children.into_iter().try_for_each(|child| flatten(child, depth + 1, lines))
}

/// The pixels of a picture, whatever its compression.
fn pixels(path: &Path) -> Result<Vec<u8>> {
    let converted = Command::new("convert")
        .arg(path)
        .args(["-depth", "8", "rgba:-"])
        .output()
        .context("no ImageMagick: run `cargo xtask setup`")?;
    ensure!(converted.status.success(), "{}", String::from_utf8_lossy(&converted.stderr));
    Ok(converted.stdout)
}
