//! The published hour of Azure's code assistant.

use coalmine::arrivals::OnOff;
use coalmine::chance::{Chance, Distribution};
use coalmine::profile::ShapeMeter;
use coalmine::units::Duration;
use coalmine::workload::{Population, Source, TokenSizes, Workload};

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

/// Bursts of log-normal length (mean 9 s, CV 1.3) every 27 s or so, each at a gamma rate (mean
/// 10.2/s, CV 0.7): the dispersion of an hour of them, in the middle of 40, lies as near to the
/// trace's 13.2, 71.9 and 167 as their scatter lets one tell. In an independent simulation of 400
/// hours with numpy half of them lay between 11.6 and 13.9, 70 and 93, 130 and 216.
#[test]
fn on_off_bursts_are_as_bursty_as_the_code_assistant() {
    let tokens = Distribution::constant(100.0).unwrap();
    let bursts = OnOff::new(
        Distribution::lognormal_mean_cv(9.0, 1.3).unwrap(),
        Distribution::exponential(27.0).unwrap(),
        Distribution::gamma_mean_cv(10.2, 0.7).unwrap(),
    );
    let workload = Workload {
        arrivals: bursts.unwrap().into(),
        requests: None,
        sizes: vec![TokenSizes::independent(tokens.clone(), tokens)],
        population: Population::of_users(1.try_into().unwrap()),
    };
    let mut dispersions = [const { Vec::new() }; 3];
    for seed in 0..40 {
        let mut source = Source::generate(&workload, Chance::new(seed, 0));
        let mut meter = ShapeMeter::default();
        while source.next_at().unwrap().is_some() {
            let arrival = source.take().expect("what next_at has told of");
            if arrival.at > Duration::from_secs(3_436) {
                break;
            }
            let (input, output) = (arrival.request.input, arrival.request.output);
            meter.add(arrival.at, Some(input), Some(output));
        }
        for (all, one) in dispersions.iter_mut().zip(meter.shape().dispersion) {
            all.push(one.unwrap());
        }
    }
    for (mut all, (trace, near)) in
        dispersions.into_iter().zip([(13.2, 0.15), (71.9, 0.35), (167.0, 0.35)])
    {
        all.sort_by(f64::total_cmp);
        let middle = all[20];
        println!("{middle:.1} against {trace}; from {:.1} to {:.1}", all[2], all[37]);
        assert!((middle / trace - 1.0).abs() < near, "{middle} against {trace}");
        assert!(all[2] < trace && trace < all[37], "{trace} outside of {} to {}", all[2], all[37]);
    }
}
