//! CBV 2.0 vocabularies: the standard's words, or a user's own as full URIs.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What an event does to its objects (EPCIS 2.0, clause 7.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// They come into being, or are associated.
    Add,
    /// They are seen, unchanged.
    Observe,
    /// They cease to be.
    Delete,
}

impl Action {
    /// As EPCIS writes it: `ADD`, `OBSERVE` or `DELETE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Observe => "OBSERVE",
            Self::Delete => "DELETE",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Add, Self::Observe, Self::Delete].into_iter().find(|action| action.as_str() == text)
    }
}

/// Defines a vocabulary: a variant for each standard word, in an order that is fixed for ever,
/// because entries keep a word as its position. New words go last.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $web:literal, $($variant:ident $word:literal)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant,)*
            /// A user's own word, as its full URI.
            Other(Box<str>),
        }

        impl $name {
            const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The standard's bare word, or the full URI of another.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(uri) => uri,
                }
            }

            /// From a bare word, from its web URI, or from the URI of a user's own word. `None` for a bare word that
            /// CBV does not have, for a URI in older name spaces of CBV, and for what is no URI.
            pub fn parse(text: &str) -> Option<Self> {
                let standard = |word: &str| match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                };
                match standard_word(text, $web) {
                    Some(word) => standard(word),
                    None => super::uri::is_uri(text).then(|| Self::Other(text.into())),
                }
            }

            fn position(&self) -> Option<u8> {
                let at = Self::ALL.iter().position(|word| word == self)?;
                u8::try_from(at).ok()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// Its text where people read it; in binary the word's position, or the text of another.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.position() {
                    Some(position) if !serializer.is_human_readable() => serializer.serialize_u8(position),
                    _ => serializer.serialize_str(self.as_str()),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Word;
                impl de::Visitor<'_> for Word {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a CBV word of ", stringify!($name), ", its position, or a URI"))
                    }
                    fn visit_u64<E: de::Error>(self, position: u64) -> Result<$name, E> {
                        usize::try_from(position)
                            .ok()
                            .and_then(|at| $name::ALL.get(at).cloned())
                            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(position), &self))
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
                    }
                }
                deserializer.deserialize_any(Word)
            }
        }
    };
}

vocabulary! {
    /// A CBV 2.0 business step (clause 7.1), or a user's own as its full URI.
    BizStep, "BizStep-",
    Accepting "accepting"
    Arriving "arriving"
    Assembling "assembling"
    Collecting "collecting"
    Commissioning "commissioning"
    Consigning "consigning"
    CreatingClassInstance "creating_class_instance"
    CycleCounting "cycle_counting"
    Decommissioning "decommissioning"
    Departing "departing"
    Destroying "destroying"
    Disassembling "disassembling"
    Dispensing "dispensing"
    Encoding "encoding"
    EnteringExiting "entering_exiting"
    Holding "holding"
    Inspecting "inspecting"
    Installing "installing"
    Killing "killing"
    Loading "loading"
    OtherStep "other"
    Packing "packing"
    Picking "picking"
    Receiving "receiving"
    Removing "removing"
    Repackaging "repackaging"
    Repairing "repairing"
    Replacing "replacing"
    Reserving "reserving"
    RetailSelling "retail_selling"
    Sampling "sampling"
    SensorReporting "sensor_reporting"
    Shipping "shipping"
    StagingOutbound "staging_outbound"
    StockTaking "stock_taking"
    Stocking "stocking"
    Storing "storing"
    Transporting "transporting"
    Unloading "unloading"
    Unpacking "unpacking"
    VoidShipping "void_shipping"
}

vocabulary! {
    /// A CBV 2.0 disposition (clause 7.2), or a user's own as its full URI.
    Disposition, "Disp-",
    Active "active"
    Available "available"
    CompletenessInferred "completeness_inferred"
    CompletenessVerified "completeness_verified"
    Conformant "conformant"
    ContainerClosed "container_closed"
    ContainerOpen "container_open"
    Damaged "damaged"
    Destroyed "destroyed"
    Dispensed "dispensed"
    Disposed "disposed"
    Encoded "encoded"
    Expired "expired"
    InProgress "in_progress"
    InTransit "in_transit"
    Inactive "inactive"
    MismatchClass "mismatch_class"
    MismatchInstance "mismatch_instance"
    MismatchQuantity "mismatch_quantity"
    NeedsReplacement "needs_replacement"
    NoPedigreeMatch "no_pedigree_match"
    NonConformant "non_conformant"
    NonSellableOther "non_sellable_other"
    PartiallyDispensed "partially_dispensed"
    Recalled "recalled"
    Reserved "reserved"
    RetailSold "retail_sold"
    Returned "returned"
    SellableAccessible "sellable_accessible"
    SellableNotAccessible "sellable_not_accessible"
    Stolen "stolen"
    Unavailable "unavailable"
    Unknown "unknown"
}

/// A vocabulary whose words are only checked and made canonical, not reasoned about.
pub(super) struct Words {
    /// What its words' URIs begin with.
    pub(super) web: &'static str,
    words: &'static [&'static str],
}

impl Words {
    /// Whether a text as written in a document is a URI that the JSON schema forbids here, because a bare word stands for it.
    pub(super) fn forbids(&self, written: &str) -> bool {
        self.web.is_empty() && WEB_VOCABULARY.iter().any(|space| written.starts_with(space))
    }

    /// The bare word, or the full URI of a user's own; `None` as for [`BizStep::parse`].
    pub(super) fn canonical<'a>(&self, text: &'a str) -> Option<&'a str> {
        match standard_word(text, self.web) {
            Some(word) => self.words.contains(&word).then_some(word),
            None => super::uri::is_uri(text).then_some(text),
        }
    }
}

/// The bare word in `text`, if it is one or the web URI of one: in `https://ref.gs1.org/cbv/` with the vocabulary's mark, or in
/// the GS1 web vocabulary, which has no marks.
fn standard_word<'a>(text: &'a str, web: &str) -> Option<&'a str> {
    if !text.contains(':') {
        return Some(text);
    }
    let within = |spaces: &[&str]| spaces.iter().find_map(|space| text.strip_prefix(space));
    if web.is_empty() {
        return within(&WEB_VOCABULARY);
    }
    let found = within(&["https://ref.gs1.org/cbv/", "http://ref.gs1.org/cbv/"]);
    // A URI in CBV's own name spaces that is none of this vocabulary is refused as an unknown word, and so is one in
    // the older name spaces, which the JSON schema forbids.
    let reserved = found.is_some()
        || within(&["urn:epcglobal:cbv", "https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/"]).is_some();
    found.and_then(|word| word.strip_prefix(web)).or_else(|| reserved.then_some(text))
}

/// Name spaces of the GS1 web vocabulary.
const WEB_VOCABULARY: [&str; 4] =
    ["https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/", "http://www.gs1.org/voc/"];

/// Types of business transactions (CBV 2.0, clause 7.3).
pub(super) const BIZ_TRANSACTION_TYPES: Words = Words {
    web: "BTT-",
    words: &[
        "bol",
        "cert",
        "desadv",
        "inv",
        "pedigree",
        "po",
        "poc",
        "prodorder",
        "recadv",
        "rma",
        "testprd",
        "testres",
        "upevt",
    ],
};

/// Types of sources and destinations (CBV 2.0, clause 7.4).
pub(super) const SOURCE_DESTINATION_TYPES: Words =
    Words { web: "SDT-", words: &["owning_party", "possessing_party", "location"] };

/// Reasons of error declarations (CBV 2.0, clause 7.5).
pub(super) const ERROR_REASONS: Words = Words { web: "ER-", words: &["did_not_occur", "incorrect_data"] };

/// Components of a sensor's vector (CBV 2.0, clause 7.7).
pub(super) const COMPONENTS: Words = Words {
    web: "Comp-",
    words: &[
        "x",
        "y",
        "z",
        "axial_distance",
        "azimuth",
        "height",
        "spherical_radius",
        "polar_angle",
        "elevation_angle",
        "easting",
        "northing",
        "latitude",
        "longitude",
        "altitude",
    ],
};

/// Exceptional conditions of a sensor (GS1 web vocabulary).
pub(super) const SENSOR_ALERTS: Words = Words { web: "", words: &["ALARM_CONDITION", "ERROR_CONDITION"] };

/// Types of measurements (GS1 web vocabulary, as EPCIS 2.0's JSON schema lists them).
#[rustfmt::skip]
pub(super) const MEASUREMENT_TYPES: Words = Words {
    web: "",
    words: &[
        "AbsoluteHumidity", "AbsorbedDose", "AbsorbedDoseRate", "Acceleration", "Altitude", "AmountOfSubstance",
        "AmountOfSubstancePerUnitVolume", "Angle", "AngularAcceleration", "AngularMomentum", "AngularVelocity", "Area",
        "Capacitance", "Conductance", "Conductivity", "Count", "Density", "Dimensionless", "DoseEquivalent",
        "DoseEquivalentRate", "DynamicViscosity", "ElectricCharge", "ElectricCurrent", "ElectricCurrentDensity",
        "ElectricFieldStrength", "Energy", "Exposure", "Force", "Frequency", "Illuminance", "Inductance", "Irradiance",
        "KinematicViscosity", "Length", "LinearMomentum", "Luminance", "LuminousFlux", "LuminousIntensity",
        "MagneticFlux", "MagneticFluxDensity", "MagneticVectorPotential", "Mass", "MassConcentration", "MassFlowRate",
        "MassPerAreaTime", "MemoryCapacity", "MolalityOfSolute", "MolarEnergy", "MolarMass", "MolarVolume", "Power",
        "Pressure", "RadiantFlux", "RadiantIntensity", "Radioactivity", "RelativeHumidity", "Resistance",
        "Resistivity", "SolidAngle", "SpecificVolume", "Speed", "SurfaceDensity", "SurfaceTension", "Temperature",
        "Time", "Torque", "Voltage", "Volume", "VolumeFlowRate", "VolumeFraction", "VolumetricFlux", "Wavenumber",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_their_uris_are_one_and_strangers_are_told_apart() {
        for text in ["shipping", "https://ref.gs1.org/cbv/BizStep-shipping", "http://ref.gs1.org/cbv/BizStep-shipping"]
        {
            assert_eq!(BizStep::parse(text), Some(BizStep::Shipping));
        }
        assert_eq!(BizStep::parse("https://example.com/thaw"), Some(BizStep::Other("https://example.com/thaw".into())));
        for text in [
            "Shipping",
            "thaw",
            "",
            "urn:epcglobal:cbv:bizstep:shipping",
            "http://ns.gs1.org/cbv/BizStep-shipping",
            "https://ref.gs1.org/cbv/Disp-active",
            "https://ref.gs1.org/cbv/BizStep-thaw",
            "a b:c",
        ] {
            assert_eq!(BizStep::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_word_takes_one_byte_in_binary_and_stays_text_for_people() {
        for step in BizStep::ALL {
            let bytes = rmp_serde::to_vec(step).unwrap();
            assert_eq!(bytes.len(), 1, "{step}");
            assert_eq!(rmp_serde::from_slice::<BizStep>(&bytes).unwrap(), *step);
            assert_eq!(serde_json::to_string(step).unwrap(), format!("\"{step}\""));
            assert_eq!(BizStep::parse(step.as_str()).as_ref(), Some(step));
        }
        let other = Disposition::Other("urn:x:y".into());
        assert_eq!(rmp_serde::from_slice::<Disposition>(&rmp_serde::to_vec(&other).unwrap()).unwrap(), other);
        assert_eq!((BizStep::ALL.len(), Disposition::ALL.len()), (41, 33));
        assert!(rmp_serde::from_slice::<BizStep>(&[41]).is_err());
    }

    #[test]
    fn positions_of_words_never_change() {
        assert_eq!(rmp_serde::to_vec(&[BizStep::Commissioning, BizStep::VoidShipping]).unwrap(), [0x92, 4, 40]);
        assert_eq!(rmp_serde::to_vec(&[Disposition::Active, Disposition::Unknown]).unwrap(), [0x92, 0, 32]);
    }
}
