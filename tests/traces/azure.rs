//! The published hour of Azure's code assistant.

use coalmine::units::Duration;

use super::{open, shape_of};

/// The figures were computed with numpy.
#[test]
fn the_azure_code_trace_has_its_known_shape() {
    let Some(mut reader) = open("AzureLLMInferenceTrace_code.csv") else { return };
    let shape = shape_of(&mut reader);
    let accounting = reader.accounting();
    assert_eq!((accounting.read, accounting.emitted), (8_819, 8_819));
    assert_eq!(shape.span, Duration::from_nanos(3_435_948_056_000));
    let close = |found: f64, expected: f64, error: f64| {
        assert!((found - expected).abs() <= error, "{found} against {expected}");
    };
    close(shape.rate.unwrap().per_second(), 2.5667, 5e-5);
    close(shape.gap_cv.unwrap(), 13.1520, 5e-5);
    close(shape.dispersion[0].unwrap(), 13.1903, 5e-5);
    close(shape.dispersion[1].unwrap(), 71.8509, 5e-5);
    close(shape.dispersion[2].unwrap(), 166.8926, 5e-5);
    let (input, output) = (shape.input.unwrap(), shape.output.unwrap());
    close(input.mean, 2_047.848_3, 5e-5);
    assert_eq!((input.p50, input.p99), (1_469.0, 7_436.0));
    close(output.mean, 27.8825, 5e-5);
    assert_eq!(output.p50, 13.0);
    close(output.p99, 251.46, 1e-9);
}
