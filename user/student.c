// SPDX-License-Identifier: BSD-2-Clause
/* See student.h. */
#include <math.h>
#include "student.h"

#define STEPS 300

/* The continued fraction of the incomplete beta function I_x(a, b), which converges quickly for
 * x < (a + 1) / (a + b + 2): DLMF 8.17.22, evaluated by Lentz' method as modified by Thompson and
 * Barnett (1986). */
static double fraction(double x, double a, double b)
{
	double f = 1, c = 1, d = 0;

	for (int i = 1; i < STEPS; i++) {
		int m = i / 2;
		double term = i % 2 ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
				    : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double step;

		d = 1 + term * d;
		d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
		c = 1 + term / c;
		c = fabs(c) < 1e-300 ? 1e-300 : c;
		step = c * d;
		f *= step;
		if (fabs(step - 1) < 1e-14)
			break;
	}
	return f;
}

static double beta_part(double x, double a, double b)
{
	double scale = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b));

	if (x < (a + 1) / (a + b + 2))
		return scale / a * (1 / fraction(x, a, b));
	return 1 - scale / b * (1 / fraction(1 - x, b, a));
}

double student__tail(double t, double df)
{
	if (isinf(df) || df > 1e6)
		return erfc(t / sqrt(2));
	if (t <= 0)
		return 1;
	if (isinf(t))
		return 0;
	return beta_part(df / (df + t * t), df / 2, 0.5);
}

double student__quantile(double tail, double df)
{
	double low = 0, high = 1;

	while (student__tail(high, df) > tail && high < 1e300)
		high *= 2;
	for (int i = 0; i < 200 && high - low > 1e-12 * high; i++) {
		double mid = (low + high) / 2;

		if (student__tail(mid, df) > tail)
			low = mid;
		else
			high = mid;
	}
	return high;
}
