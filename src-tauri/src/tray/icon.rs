//! Which picture stands for which state, told apart by shape as well as colour.

use super::state::Light;

/// The picture as PNG, 44 by 44 pixels, for a panel that is dark or light.
pub fn png(light: Light, dark_panel: bool) -> &'static [u8] {
    macro_rules! pictures {
        ($($variant:ident $file:literal),+ $(,)?) => {
            match (light, dark_panel) {
                $(
                    (Light::$variant, false) => include_bytes!(concat!("../../../icons/tray/", $file, "-light.png")),
                    (Light::$variant, true) => include_bytes!(concat!("../../../icons/tray/", $file, "-dark.png")),
                )+
            }
        };
    }
    pictures! {
        Connected "connected",
        Working "working",
        Paused "paused",
        Offline "offline",
        NeedsAttention "needs_attention",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_state_has_a_picture_of_its_own_in_light_and_in_dark() {
        let all = [Light::Connected, Light::Working, Light::Paused, Light::Offline, Light::NeedsAttention];
        let pictures: HashSet<&[u8]> =
            all.iter().flat_map(|light| [png(*light, false), png(*light, true)]).collect();
        assert_eq!(pictures.len(), 2 * all.len());
        for picture in pictures {
            tauri::image::Image::from_bytes(picture).unwrap();
        }
    }

    /// Whoever sees no colours tells the states apart by what is drawn: where the ink lies.
    #[test]
    fn the_states_differ_in_shape() {
        let all = [Light::Connected, Light::Working, Light::Paused, Light::Offline, Light::NeedsAttention];
        let ink = |light| {
            let image = tauri::image::Image::from_bytes(png(light, false)).unwrap();
            image.rgba().chunks(4).map(|pixel| pixel[3] > 127).collect::<Vec<bool>>()
        };
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                let differ = ink(*one).iter().zip(ink(*other)).filter(|(a, b)| **a != *b).count();
                assert!(differ > 60, "{one:?} and {other:?} differ in {differ} points");
            }
        }
    }
}
