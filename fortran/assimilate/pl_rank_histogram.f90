!> Rank histogram filter for one scalar observation, with bounds.
!>
!> Anderson (2010), Mon. Weather Rev. 138, 4186-4198: each interval between neighbouring sorted members holds the prior
!> probability 1/(N+1), and is multiplied by the mean likelihood of its ends; the tails are those of a normal
!> distribution with the standard deviation of the ensemble, multiplied by the normal likelihood exactly. A tail that
!> ends at a bound is uniform up to the bound (Anderson 2020, Mon. Weather Rev. 148, 1033-1049, has truncated normals).
!> Updated members are the quantiles k/(N+1) of the posterior, in the order of the prior.
module pl_rank_histogram
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: normal_quantile, update_by_ranks

   real(rk), parameter :: root_two = sqrt(2.0_rk)

   !> A normal tail times a normal likelihood: a normal distribution beyond a point.
   type :: tail_type
      real(rk) :: mean = 0.0_rk      !! [unit of the observation]
      real(rk) :: deviation = 0.0_rk !! [unit of the observation]
      real(rk) :: beyond = 0.0_rk    !! probability beyond the outermost member [1]
      real(rk) :: log_mass = 0.0_rk  !! logarithm of the mass of the tail [1]
   end type tail_type

contains

   !> Members after one observation.
   pure subroutine update_by_ranks(observed, error, low, high, values)
      real(rk), intent(in) :: observed     !! observation [its unit]
      real(rk), intent(in) :: error        !! standard deviation of its error, above 0 [its unit]
      real(rk), intent(in) :: low, high    !! bounds of the values; beyond +-huge for none [its unit]
      real(rk), intent(inout) :: values(:) !! predictions of the members, within the bounds; updated ones out [its unit]
      real(rk) :: logs(size(values)), mass(0:size(values)), s, x(size(values))
      integer :: k, n, rank(size(values))
      logical :: has_high, has_low
      type(tail_type) :: left, right
      n = size(values)
      call sort(values, rank)
      x = values(rank)
      s = sum(x - x(1))/real(n, rk) + x(1)
      s = sqrt(sum((x - s)**2)/real(n - 1, rk))
      if (.not. s > 0.0_rk) return
      has_low = low > -huge(low)
      has_high = high < huge(high)
      logs = -0.5_rk*((x - observed)/error)**2
      ! masses as logarithms first: an observation far from all members makes all of them tiny
      do k = 1, n - 1
         mass(k) = mean_of_logs(logs(k), logs(k + 1))
      end do
      if (has_low) then
         mass(0) = mean_of_logs(-0.5_rk*((low - observed)/error)**2, logs(1))
      else
         left = tail_of(n, -x(1), s, -observed, error)
         mass(0) = left%log_mass
      end if
      if (has_high) then
         mass(n) = mean_of_logs(-0.5_rk*((high - observed)/error)**2, logs(n))
      else
         right = tail_of(n, x(n), s, observed, error)
         mass(n) = right%log_mass
      end if
      mass = mass - maxval(mass)
      where (mass > log(tiny(1.0_rk)))
         mass = exp(mass)
      else where
         mass = 0.0_rk
      end where
      mass = mass/sum(mass)
      call take_quantiles(n, rank, x, mass, left, right, low, high, has_low, has_high, values)
   end subroutine update_by_ranks

   !> Replace the members by quantiles of the posterior.
   pure subroutine take_quantiles(n, rank, x, mass, left, right, low, high, has_low, has_high, values)
      integer, intent(in) :: n                    !! members [1]
      integer, intent(in) :: rank(n)              !! member of each sorted value
      real(rk), intent(in) :: x(n)                !! sorted prior values [unit of the observation]
      real(rk), intent(in) :: mass(0:n)           !! posterior probability of each interval [1]
      type(tail_type), intent(in) :: left, right  !! tails where there are no bounds
      real(rk), intent(in) :: low, high           !! bounds [unit of the observation]
      logical, intent(in) :: has_low, has_high    !! whether there are bounds
      real(rk), intent(inout) :: values(n)        !! members [unit of the observation]
      real(rk) :: below, share, u
      integer :: i, k
      i = 0
      below = 0.0_rk
      do k = 1, n
         u = real(k, rk)/real(n + 1, rk)
         do while (i < n .and. below + mass(i) < u)
            below = below + mass(i)
            i = i + 1
         end do
         share = 1.0_rk ! of the interval that lies below the quantile; rounding may leave an empty last interval
         if (mass(i) > 0.0_rk) share = min(max((u - below)/mass(i), 0.0_rk), 1.0_rk)
         if (i == 0 .and. has_low) then
            values(rank(k)) = low + share*(x(1) - low)
         else if (i == 0) then
            values(rank(k)) = -tail_value(left, share, -x(1))
         else if (i == n .and. has_high) then
            values(rank(k)) = x(n) + share*(high - x(n))
         else if (i == n) then
            values(rank(k)) = tail_value(right, 1.0_rk - share, x(n))
         else
            values(rank(k)) = x(i) + share*(x(i + 1) - x(i))
         end if
      end do
   end subroutine take_quantiles

   !> Posterior of the upper tail.
   pure function tail_of(n, outermost, deviation, observed, error) result(tail)
      integer, intent(in) :: n              !! members [1]
      real(rk), intent(in) :: outermost     !! largest member [unit of the observation]
      real(rk), intent(in) :: deviation     !! standard deviation of the ensemble [same]
      real(rk), intent(in) :: observed      !! observation [same]
      real(rk), intent(in) :: error         !! standard deviation of its error [same]
      type(tail_type) :: tail
      real(rk) :: centre, total
      centre = outermost + deviation*normal_quantile(1.0_rk/real(n + 1, rk)) ! leaves 1/(N+1) beyond the member
      total = hypot(deviation, error)
      tail%deviation = deviation/total*error
      tail%mean = centre + (deviation/total)**2*(observed - centre)
      tail%beyond = 0.5_rk*erfc((outermost - tail%mean)/tail%deviation/root_two)
      tail%log_mass = -huge(1.0_rk)
      if (tail%beyond > tiny(1.0_rk)) then
         tail%log_mass = log(tail%beyond) + log(real(n + 1, rk)*error/total) - 0.5_rk*((observed - centre)/total)**2
      end if
   end function tail_of

   !> Value in the upper tail with a share of its mass beyond.
   pure real(rk) function tail_value(tail, share, outermost)
      type(tail_type), intent(in) :: tail
      real(rk), intent(in) :: share     !! of the tail's mass that lies beyond the value [1]
      real(rk), intent(in) :: outermost !! where the tail begins [unit of the observation]
      tail_value = outermost
      if (share*tail%beyond > tiny(1.0_rk)) then
         tail_value = max(outermost, tail%mean - tail%deviation*normal_quantile(share*tail%beyond))
      end if
   end function tail_value

   !> Logarithm of the mean of two numbers given by their logarithms.
   pure real(rk) function mean_of_logs(a, b) result(mean)
      real(rk), intent(in) :: a, b !! logarithms [1]
      mean = max(a, b)
      if (abs(a - b) < -log(epsilon(1.0_rk))) mean = mean + log(0.5_rk*(1.0_rk + exp(-abs(a - b))))
      if (abs(a - b) >= -log(epsilon(1.0_rk))) mean = mean + log(0.5_rk)
   end function mean_of_logs

   !> Members in rising order; equal ones keep theirs.
   pure subroutine sort(values, rank)
      real(rk), intent(in) :: values(:) !! any unit
      integer, intent(out) :: rank(:)   !! index of the smallest value, of the next, ...
      integer :: i, j
      do i = 1, size(values)
         j = i
         do while (j > 1)
            if (values(rank(j - 1)) <= values(i)) exit
            rank(j) = rank(j - 1)
            j = j - 1
         end do
         rank(j) = i
      end do
   end subroutine sort

   !> Quantile of the standard normal distribution, to 1e-16.
   !>
   !> Wichura (1988), Appl. Stat. 37, 477-484, algorithm AS 241, PPND16.
   pure real(rk) function normal_quantile(p) result(z)
      real(rk), intent(in) :: p !! probability, in (0, 1) [1]
      real(rk), parameter :: a(0:7) = [3.3871328727963666080e0_rk, 1.3314166789178437745e+2_rk, &
                                       1.9715909503065514427e+3_rk, 1.3731693765509461125e+4_rk, &
                                       4.5921953931549871457e+4_rk, 6.7265770927008700853e+4_rk, &
                                       3.3430575583588128105e+4_rk, 2.5090809287301226727e+3_rk]
      real(rk), parameter :: b(0:7) = [1.0_rk, 4.2313330701600911252e+1_rk, 6.8718700749205790830e+2_rk, &
                                       5.3941960214247511077e+3_rk, 2.1213794301586595867e+4_rk, &
                                       3.9307895800092710610e+4_rk, 2.8729085735721942674e+4_rk, &
                                       5.2264952788528545610e+3_rk]
      real(rk), parameter :: c(0:7) = [1.42343711074968357734e0_rk, 4.63033784615654529590e0_rk, &
                                       5.76949722146069140550e0_rk, 3.64784832476320460504e0_rk, &
                                       1.27045825245236838258e0_rk, 2.41780725177450611770e-1_rk, &
                                       2.27238449892691845833e-2_rk, 7.74545014278341407640e-4_rk]
      real(rk), parameter :: d(0:7) = [1.0_rk, 2.05319162663775882187e0_rk, 1.67638483018380384940e0_rk, &
                                       6.89767334985100004550e-1_rk, 1.48103976427480074590e-1_rk, &
                                       1.51986665636164571966e-2_rk, 5.47593808499534494600e-4_rk, &
                                       1.05075007164441684324e-9_rk]
      real(rk), parameter :: e(0:7) = [6.65790464350110377720e0_rk, 5.46378491116411436990e0_rk, &
                                       1.78482653991729133580e0_rk, 2.96560571828504891230e-1_rk, &
                                       2.65321895265761230930e-2_rk, 1.24266094738807843860e-3_rk, &
                                       2.71155556874348757815e-5_rk, 2.01033439929228813265e-7_rk]
      real(rk), parameter :: f(0:7) = [1.0_rk, 5.99832206555887937690e-1_rk, 1.36929880922735805310e-1_rk, &
                                       1.48753612908506148525e-2_rk, 7.86869131145613259100e-4_rk, &
                                       1.84631831751005468180e-5_rk, 1.42151175831644588870e-7_rk, &
                                       2.04426310338993978564e-15_rk]
      real(rk) :: q, r
      q = p - 0.5_rk
      if (abs(q) <= 0.425_rk) then
         r = 0.180625_rk - q*q
         z = q*polynomial(a, r)/polynomial(b, r)
         return
      end if
      r = sqrt(-log(min(p, 1.0_rk - p)))
      if (r <= 5.0_rk) then
         z = polynomial(c, r - 1.6_rk)/polynomial(d, r - 1.6_rk)
      else
         z = polynomial(e, r - 5.0_rk)/polynomial(f, r - 5.0_rk)
      end if
      if (q < 0.0_rk) z = -z
   end function normal_quantile

   !> Polynomial by Horner's rule.
   pure real(rk) function polynomial(coefficients, x) result(y)
      real(rk), intent(in) :: coefficients(0:7) !! of rising powers
      real(rk), intent(in) :: x                 !! argument
      integer :: i
      y = coefficients(7)
      do i = 6, 0, -1
         y = y*x + coefficients(i)
      end do
   end function polynomial

end module pl_rank_histogram
