//! What an image is measured by before it is compiled.
//!
//! Cranelift takes time and memory that grow faster than its input for a few shapes of code, and wasmtime unfolds every
//! nested component at each place where it is instantiated; a file of some kilobytes can ask for hours. The bounds here
//! refuse those shapes for a tenth of what validation costs, with what is too large and by how much. They are several
//! times what large real images have (a Python interpreter with its library: 40 MB, 11,000 functions, the longest of
//! 150 kB), so that nobody meets them by accident.
//!
//! Absent: a promise. What passes may still be slow to compile, which is what the limits of a
//! [compiler process](super::CompilerProcess) are for.

use wasmparser::{
    CanonicalFunction, ComponentInstance, ComponentType, ComponentTypeDeclaration, ComponentTypeRef, FrameKind,
    FuncToValidate, FuncValidatorAllocations, FunctionBody, Instance, InstanceTypeDeclaration, Parser, Payload,
    ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

use super::super::image::ImageProblem;

/// Functions of all the image's modules together.
const MAX_FUNCTIONS: u64 = 200_000;

/// Bytes of one function. Time to allocate registers grows faster than this.
const MAX_FUNCTION_BYTES: u64 = 1 << 20;

/// Locals of all functions together: a declaration of 50,000 takes four bytes.
const MAX_LOCALS: u64 = 4_000_000;

/// Locals times loops of one function: the compiler may need a value for each local at the head of each loop.
const MAX_LOCALS_TIMES_LOOPS: u64 = 16_000_000;

/// Blocks inside one another in one function. A `match` over thousands of values nests as many.
const MAX_BLOCK_DEPTH: usize = 10_000;

/// Types of all modules and components together, and declarations within component types.
const MAX_TYPES: u64 = 100_000;

/// Imports and exports of all modules and components together.
const MAX_NAMES: u64 = 200_000;

/// Components inside one another. Composed ones have three or four.
const MAX_COMPONENT_DEPTH: usize = 16;

/// Core modules of the whole image.
const MAX_MODULES: u64 = 500;

/// Functions that cross between components, each of which is compiled to an adapter.
const MAX_CANONICAL_FUNCTIONS: u64 = 20_000;

/// Instances when every nested component is unfolded at each place where it is instantiated.
const MAX_INSTANCES: u64 = 10_000;

/// The proposals that wasmtime has on in this build. It checks them again, so a difference is only a worse message.
fn features() -> WasmFeatures {
    let off = WasmFeatures::GC_TYPES | WasmFeatures::EXCEPTIONS | WasmFeatures::THREADS;
    WasmFeatures::WASM3.difference(off).union(WasmFeatures::COMPONENT_MODEL)
}

/// Validates the whole of `image` and measures it against the bounds.
///
/// # Errors
///
/// [`ImageProblem::Invalid`] for what is malformed, [`ImageProblem::TooComplex`] for what exceeds a bound.
pub(super) fn check(image: &[u8]) -> Result<(), ImageProblem> {
    let mut validator = Validator::new_with_features(features());
    let mut parser = Parser::new(0);
    parser.set_features(features());
    let mut measured = Measured::default();
    let mut bodies = Vec::new();
    for payload in parser.parse_all(image) {
        let payload = payload.map_err(invalid)?;
        if let Payload::ModuleSection { unchecked_range: range, .. }
        | Payload::ComponentSection { unchecked_range: range, .. } = &payload
            && range.end > image.len()
        {
            return Err(ImageProblem::Invalid(format!("what begins at offset {:#x} is cut off", range.start)));
        }
        let valid = validator.payload(&payload).map_err(invalid)?;
        measured.payload(&payload)?;
        if let ValidPayload::Func(function, body) = valid {
            bodies.push((function, body));
        }
    }
    let mut allocations = FuncValidatorAllocations::default();
    for (function, body) in bodies {
        allocations = measured.function(function, &body, allocations)?;
    }
    Ok(())
}

fn invalid(error: wasmparser::BinaryReaderError) -> ImageProblem {
    ImageProblem::Invalid(error.to_string())
}

/// What has been met so far.
#[derive(Default)]
struct Measured {
    functions: u64,
    locals: u64,
    types: u64,
    names: u64,
    modules: u64,
    canonical: u64,
    /// The modules and components that the parser is in, outermost first.
    open: Vec<Open>,
    /// The most instances that a component met so far unfolds into.
    heaviest: u64,
}

/// One module or component that is being read.
struct Open {
    component: bool,
    /// Instances that it unfolds into, itself included.
    instances: u64,
}

impl Measured {
    fn payload(&mut self, payload: &Payload<'_>) -> Result<(), ImageProblem> {
        match payload {
            Payload::Version { encoding, .. } => self.open(*encoding == wasmparser::Encoding::Component),
            Payload::End(_) => {
                if let Some(open) = self.open.pop()
                    && open.component
                {
                    self.heaviest = self.heaviest.max(open.instances);
                }
                Ok(())
            }
            Payload::TypeSection(section) => add(&mut self.types, section.count(), MAX_TYPES, "types"),
            Payload::CoreTypeSection(section) => add(&mut self.types, section.count(), MAX_TYPES, "types"),
            Payload::ImportSection(section) => add(&mut self.names, section.count(), MAX_NAMES, "imports and exports"),
            Payload::ExportSection(section) => add(&mut self.names, section.count(), MAX_NAMES, "imports and exports"),
            Payload::FunctionSection(section) => add(&mut self.functions, section.count(), MAX_FUNCTIONS, "functions"),
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                within(size(range.end.saturating_sub(range.start)), MAX_FUNCTION_BYTES, || {
                    format!("bytes in the function at offset {:#x}", range.start)
                })
            }
            Payload::ComponentTypeSection(section) => section.clone().into_iter().try_for_each(|declared| {
                let declared = declared.map_err(invalid)?;
                self.component_type(&declared)
            }),
            Payload::ComponentImportSection(section) => {
                add(&mut self.names, section.count(), MAX_NAMES, "imports and exports")?;
                section.clone().into_iter().try_for_each(|import| whole(&import.map_err(invalid)?.ty))
            }
            Payload::ComponentExportSection(section) => {
                add(&mut self.names, section.count(), MAX_NAMES, "imports and exports")
            }
            Payload::ComponentCanonicalSection(section) => section.clone().into_iter().try_for_each(|function| {
                let crosses = matches!(
                    function.map_err(invalid)?,
                    CanonicalFunction::Lift { .. } | CanonicalFunction::Lower { .. }
                );
                let count = u32::from(crosses);
                add(&mut self.canonical, count, MAX_CANONICAL_FUNCTIONS, "functions between components")
            }),
            Payload::InstanceSection(section) => section.clone().into_iter().try_for_each(|instance| {
                let made = matches!(instance.map_err(invalid)?, Instance::Instantiate { .. });
                self.instances(u64::from(made))
            }),
            Payload::ComponentInstanceSection(section) => section.clone().into_iter().try_for_each(|instance| {
                // Which component it is would take resolving aliases: the heaviest one that there is bounds them all.
                let made = matches!(instance.map_err(invalid)?, ComponentInstance::Instantiate { .. });
                self.instances(if made { self.heaviest.max(1) } else { 0 })
            }),
            _ => Ok(()),
        }
    }

    fn open(&mut self, component: bool) -> Result<(), ImageProblem> {
        if component {
            self.open.push(Open { component, instances: 1 });
            let depth = self.open.len();
            within(size(depth), size(MAX_COMPONENT_DEPTH), || "components inside one another".to_owned())
        } else {
            self.open.push(Open { component, instances: 0 });
            add(&mut self.modules, 1, MAX_MODULES, "core modules")
        }
    }

    fn instances(&mut self, count: u64) -> Result<(), ImageProblem> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        open.instances = open.instances.saturating_add(count);
        within(open.instances, MAX_INSTANCES, || "instances, nested ones unfolded".to_owned())
    }

    fn component_type(&mut self, declared: &ComponentType<'_>) -> Result<(), ImageProblem> {
        add(&mut self.types, 1, MAX_TYPES, "types")?;
        match declared {
            ComponentType::Component(declarations) => {
                declarations.iter().try_for_each(|declaration| match declaration {
                    ComponentTypeDeclaration::Type(declared) => self.component_type(declared),
                    ComponentTypeDeclaration::Export { ty, .. } => whole(ty),
                    ComponentTypeDeclaration::Import(import) => whole(&import.ty),
                    ComponentTypeDeclaration::CoreType(_) | ComponentTypeDeclaration::Alias(_) => self.declaration(),
                })
            }
            ComponentType::Instance(declarations) => {
                declarations.iter().try_for_each(|declaration| match declaration {
                    InstanceTypeDeclaration::Type(declared) => self.component_type(declared),
                    InstanceTypeDeclaration::Export { ty, .. } => whole(ty),
                    InstanceTypeDeclaration::CoreType(_) | InstanceTypeDeclaration::Alias(_) => self.declaration(),
                })
            }
            ComponentType::Defined(_) | ComponentType::Func(_) | ComponentType::Resource { .. } => Ok(()),
        }
    }

    fn declaration(&mut self) -> Result<(), ImageProblem> {
        add(&mut self.types, 1, MAX_TYPES, "types")
    }

    /// Validates one function, and counts what its text does not show: locals, loops and depth.
    fn function(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
        allocations: FuncValidatorAllocations,
    ) -> Result<FuncValidatorAllocations, ImageProblem> {
        let index = function.index;
        let mut validator = function.into_validator(allocations);
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader).map_err(invalid)?;
        reader.set_features(features());
        let locals = validator.len_locals();
        add(&mut self.locals, locals, MAX_LOCALS, "locals in all functions")?;
        let (mut loops, mut deepest, mut depth) = (0_u64, 0, validator.control_stack_height());
        while !reader.eof() {
            let offset = reader.original_position();
            reader.visit_operator(&mut validator.visitor(offset)).and_then(|valid| valid).map_err(invalid)?;
            let height = validator.control_stack_height();
            if height > depth && validator.get_control_frame(0).is_some_and(|frame| frame.kind == FrameKind::Loop) {
                loops += 1;
            }
            depth = height;
            deepest = deepest.max(height);
        }
        reader.finish_expression(&validator.visitor(reader.original_position())).map_err(invalid)?;
        within(u64::from(deepest), size(MAX_BLOCK_DEPTH), || format!("blocks inside one another in function {index}"))?;
        within(u64::from(locals).saturating_mul(loops), MAX_LOCALS_TIMES_LOOPS, || {
            format!("locals times loops in function {index}")
        })?;
        Ok(validator.into_allocations())
    }
}

/// Refuses components as values: with them, how often a component is unfolded could not be told while reading.
fn whole(ty: &ComponentTypeRef) -> Result<(), ImageProblem> {
    match ty {
        ComponentTypeRef::Component(_) => {
            Err(ImageProblem::TooComplex("it takes components as imports, which are not compiled".to_owned()))
        }
        _ => Ok(()),
    }
}

fn add(total: &mut u64, count: u32, most: u64, what: &str) -> Result<(), ImageProblem> {
    *total = total.saturating_add(u64::from(count));
    within(*total, most, || what.to_owned())
}

fn within(count: u64, most: u64, what: impl FnOnce() -> String) -> Result<(), ImageProblem> {
    if count <= most {
        return Ok(());
    }
    Err(ImageProblem::TooComplex(format!("it has {count} {}, and at most {most} are compiled", what())))
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), ImageProblem> {
        check(&wat::parse_str(text).expect("a module or component"))
    }

    fn refused(text: &str, expected: &str) {
        match checked(text) {
            Err(ImageProblem::TooComplex(found)) => assert!(found.contains(expected), "{found}"),
            other => panic!("not refused as too complex: {other:?}"),
        }
    }

    #[test]
    fn what_is_malformed_is_refused_as_that() {
        for text in ["(module (func i32.add))", "(module (func (result i32)))", "(module (memory 1 1 shared))"] {
            assert!(matches!(checked(text), Err(ImageProblem::Invalid(_))), "{text}");
        }
        let whole = wat::parse_str("(component (core module (func (export \"f\"))))").expect("a component");
        check(&whole).expect("it is whole");
        for length in 9..whole.len() {
            assert!(matches!(check(&whole[..length]), Err(ImageProblem::Invalid(_))), "{length}");
        }
    }

    #[test]
    fn a_function_may_be_long_but_not_that_long() {
        let function = |count: usize| format!("(module (func {}))", "nop ".repeat(count));
        checked(&function(1_000_000)).expect("a long one");
        refused(&function(1_100_000), "bytes in the function");
    }

    #[test]
    fn functions_locals_and_types_are_counted_over_the_whole_image() {
        let module = |count: usize| format!("(core module {})", "(func)".repeat(count));
        checked(&format!("(component {})", module(150_000))).expect("many");
        refused(&format!("(component {0} {0})", module(150_000)), "functions");
        let locals = format!("(func (local {}))", "i64 ".repeat(40_000));
        checked(&format!("(module {})", locals.repeat(20))).expect("many");
        refused(&format!("(module {})", locals.repeat(101)), "locals in all functions");
        let types: String = (0..60_000).map(|_| "(type (func))").collect();
        checked(&format!("(module {types})")).expect("many");
        refused(&format!("(component (core module {types}) (core module {types}))"), "types");
    }

    #[test]
    fn loops_and_depth_of_one_function_are_bounded() {
        let loops = |locals: usize, loops: usize| {
            format!("(module (func (local {}) {}))", "i32 ".repeat(locals), "(loop)".repeat(loops))
        };
        checked(&loops(1_000, 10_000)).expect("an interpreter");
        refused(&loops(20_000, 1_000), "locals times loops");
        let depth = |count: usize| format!("(module (func {} {}))", "block ".repeat(count), "end ".repeat(count));
        checked(&depth(9_000)).expect("a match over thousands of values");
        refused(&depth(11_000), "blocks inside one another");
    }

    #[test]
    fn nested_components_are_bounded_in_depth_and_as_they_unfold() {
        let nested = |depth: usize| format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
        checked(&nested(16)).expect("deep");
        refused(&nested(17), "components inside one another");

        // Each instantiates the one before it twice: 2^n of them in some hundred bytes.
        let doubling = |count: usize| {
            let mut text = String::from("(component (component $c0)");
            for next in 1..=count {
                text += &format!(
                    "(component $c{next} (alias outer 1 $c{} (component $c)) (instance (instantiate $c)) (instance (instantiate $c)))",
                    next - 1
                );
            }
            text + ")"
        };
        checked(&doubling(10)).expect("a thousand");
        refused(&doubling(30), "instances, nested ones unfolded");
    }

    #[test]
    fn components_are_not_taken_as_imports() {
        refused("(component (import \"c\" (component)))", "components as imports");
        refused("(component (import \"i\" (instance (export \"c\" (component)))))", "components as imports");
        refused("(component (type (component (import \"c\" (component)))))", "components as imports");
    }
}
