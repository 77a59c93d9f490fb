//! The Sun and four planets under gravity, as in the Computer Language Benchmarks Game: additions, multiplications,
//! divisions and square roots of f64, each of which depends on those before.

use std::hint::black_box;

use super::Run;

const STEPS: usize = 40_000;
/// Days.
const STEP: f64 = 0.01;
const SOLAR_MASS: f64 = 4.0 * std::f64::consts::PI * std::f64::consts::PI;
const DAYS_A_YEAR: f64 = 365.24;

pub(super) fn prepare() -> Run {
    Box::new(|| {
        let mut bodies = black_box(solar_system());
        advance(&mut bodies, STEPS);
        energy(&bodies).to_bits()
    })
}

/// In astronomical units, years and solar masses (times 4π²).
#[derive(Clone, Copy, Debug)]
struct Body {
    position: [f64; 3],
    velocity: [f64; 3],
    mass: f64,
}

fn advance(bodies: &mut [Body; 5], steps: usize) {
    for _ in 0..steps {
        for first in 0..bodies.len() {
            for second in first + 1..bodies.len() {
                let apart = difference(bodies[first].position, bodies[second].position);
                let square = dot(apart, apart);
                let magnitude = STEP / (square * square.sqrt());
                let masses = (bodies[first].mass, bodies[second].mass);
                for (axis, apart) in apart.into_iter().enumerate() {
                    bodies[first].velocity[axis] -= apart * masses.1 * magnitude;
                    bodies[second].velocity[axis] += apart * masses.0 * magnitude;
                }
            }
        }
        for body in &mut *bodies {
            for axis in 0..3 {
                body.position[axis] += STEP * body.velocity[axis];
            }
        }
    }
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut energy = 0.0;
    for (index, body) in bodies.iter().enumerate() {
        energy += 0.5 * body.mass * dot(body.velocity, body.velocity);
        for other in &bodies[index + 1..] {
            let apart = difference(body.position, other.position);
            energy -= body.mass * other.mass / dot(apart, apart).sqrt();
        }
    }
    energy
}

fn difference(left: [f64; 3], right: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|axis| left[axis] - right[axis])
}

fn dot(left: [f64; 3], right: [f64; 3]) -> f64 {
    left[0] * right[0] + left[1] * right[1] + left[2] * right[2]
}

/// The Sun, Jupiter, Saturn, Uranus and Neptune. The Sun moves so that the whole does not.
fn solar_system() -> [Body; 5] {
    let planet = |position, velocity: [f64; 3], mass| Body {
        position,
        velocity: velocity.map(|a_day| a_day * DAYS_A_YEAR),
        mass: mass * SOLAR_MASS,
    };
    let mut bodies = [
        Body { position: [0.0; 3], velocity: [0.0; 3], mass: SOLAR_MASS },
        planet(
            [4.841_431_442_464_721, -1.160_320_044_027_428_4, -1.036_220_444_711_231_1e-1],
            [1.660_076_642_744_037e-3, 7.699_011_184_197_404e-3, -6.904_600_169_720_63e-5],
            9.547_919_384_243_266e-4,
        ),
        planet(
            [8.343_366_718_244_58, 4.124_798_564_124_305, -4.035_234_171_143_214e-1],
            [-2.767_425_107_268_624e-3, 4.998_528_012_349_172e-3, 2.304_172_975_737_639_3e-5],
            2.858_859_806_661_308e-4,
        ),
        planet(
            [1.289_436_956_213_913_1e1, -1.511_115_140_169_863_1e1, -2.233_075_788_926_557_3e-1],
            [2.964_601_375_647_616e-3, 2.378_471_739_594_809_5e-3, -2.965_895_685_402_375_6e-5],
            4.366_244_043_351_563e-5,
        ),
        planet(
            [1.537_969_711_485_091_1e1, -2.591_931_460_998_796_4e1, 1.792_587_729_503_711_8e-1],
            [2.680_677_724_903_893_2e-3, 1.628_241_700_382_423e-3, -9.515_922_545_197_159e-5],
            5.151_389_020_466_115e-5,
        ),
    ];
    let momentum: [f64; 3] =
        std::array::from_fn(|axis| bodies.iter().map(|body| body.velocity[axis] * body.mass).sum());
    bodies[0].velocity = momentum.map(|of_all| -of_all / SOLAR_MASS);
    bodies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_energy_is_the_published_one() {
        // https://benchmarksgame-team.pages.debian.net/benchmarksgame/description/nbody.html
        let mut bodies = solar_system();
        assert_eq!(format!("{:.9}", energy(&bodies)), "-0.169075164");
        advance(&mut bodies, 1_000);
        assert_eq!(format!("{:.9}", energy(&bodies)), "-0.169087605");
    }
}
