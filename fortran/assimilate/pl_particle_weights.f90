!> Weights of members from the likelihood of the observations, safe for any finite misfit.
!>
!> Only ratios of likelihoods matter. They are formed from differences to the ensemble mean, so that a misfit that all
!> members share, however large, drops out before anything is squared, and from exponents relative to the best member
!> (log-sum-exp): the largest weight never underflows.
module pl_particle_weights
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: effective_size, likelihood_gaussian, likelihood_laplace, log_likelihoods, normalise_weights, &
             tempering_exponent

   integer, parameter :: likelihood_gaussian = 1 !! normal errors
   integer, parameter :: likelihood_laplace = 2  !! double-exponential errors of the same variance

   real(rk), parameter :: smallest_weight = tiny(1.0_rk)/epsilon(1.0_rk) !! smaller weights lose digits; taken as 0
   real(rk), parameter :: reduction = 0.0625_rk !! step of the search for a small enough exponent
   integer, parameter :: max_reductions = 280   !! `reduction` to this power is below the smallest number
   integer, parameter :: max_bisections = 60    !! halvings of a factor of 16: beyond the digits of a number

contains

   !> Logarithms of the likelihoods of the members, relative to the best one, which gets 0.
   !>
   !> Gaussian: -r^2/2 with r = d - s; the part d^2/2 is the same for all members and left out. Laplace with unit
   !> variance: -sqrt(2) |r|; |d| is left out.
   pure subroutine log_likelihoods(likelihood, nmember, nobs, anomalies, innovations, logs)
      integer, intent(in) :: likelihood                !! one of the two above
      integer, intent(in) :: nmember                   !! members [1]
      integer, intent(in) :: nobs                      !! observations [1]
      real(rk), intent(in) :: anomalies(nmember, nobs) !! S, predicted observations over their error [1]
      real(rk), intent(in) :: innovations(nobs)        !! observation minus mean predicted one over its error [1]
      real(rk), intent(out) :: logs(nmember)           !! logarithms, at most 0 [1]
      integer :: i, k
      logs = 0.0_rk
      if (likelihood == likelihood_laplace) then
         do i = 1, nobs
            do k = 1, nmember
               logs(k) = logs(k) - misfit_growth(innovations(i), anomalies(k, i))
            end do
         end do
         logs = sqrt(2.0_rk)*logs
      else
         do i = 1, nobs
            do k = 1, nmember
               logs(k) = logs(k) + anomalies(k, i)*(innovations(i) - 0.5_rk*anomalies(k, i))
            end do
         end do
      end if
      logs = logs - maxval(logs)
   end subroutine log_likelihoods

   !> |d - s| - |d| without cancellation where |s| < |d|.
   elemental real(rk) function misfit_growth(d, s)
      real(rk), intent(in) :: d, s !! innovation and anomaly [1]
      if (abs(s) < abs(d)) then
         misfit_growth = -s*sign(1.0_rk, d)
      else
         misfit_growth = abs(d - s) - abs(d)
      end if
   end function misfit_growth

   !> Weights that sum to 1 from logarithms of likelihoods raised to a power.
   pure subroutine normalise_weights(nmember, exponent, logs, weights)
      integer, intent(in) :: nmember            !! members [1]
      real(rk), intent(in) :: exponent          !! power of the likelihood, 0 to 1 [1]
      real(rk), intent(in) :: logs(nmember)     !! logarithms, the largest is 0 [1]
      real(rk), intent(out) :: weights(nmember) !! weights [1]
      weights = exp(exponent*logs)
      weights = weights/sum(weights) ! the sum is at least 1
      where (weights < smallest_weight) weights = 0.0_rk
   end subroutine normalise_weights

   !> Effective sample size 1/sum(w^2), between 1 and the number of members (Doucet et al. 2001).
   pure real(rk) function effective_size(weights)
      real(rk), intent(in) :: weights(:) !! weights that sum to 1 [1]
      effective_size = 1.0_rk/sum(weights*weights)
   end function effective_size

   !> Largest power of the likelihood, at most 1, whose effective sample size is at least a share of the ensemble.
   !>
   !> The effective sample size falls from N to that of the full likelihood as the power grows from 0 to 1, which is
   !> the same as an error variance divided by the power. 0 where no power above it will do.
   pure subroutine tempering_exponent(nmember, least_share, logs, weights, exponent)
      integer, intent(in) :: nmember            !! members [1]
      real(rk), intent(in) :: least_share       !! least effective sample size over the number of members, 0 to 1 [1]
      real(rk), intent(in) :: logs(nmember)     !! logarithms, the largest is 0 [1]
      real(rk), intent(out) :: weights(nmember) !! weights of the power found [1]
      real(rk), intent(out) :: exponent         !! the power [1]
      real(rk) :: high, middle, needed
      integer :: i
      needed = least_share*real(nmember, rk)
      high = 1.0_rk
      exponent = 1.0_rk
      call normalise_weights(nmember, exponent, logs, weights)
      do i = 1, max_reductions
         if (effective_size(weights) >= needed) exit
         high = exponent
         exponent = reduction*exponent
         call normalise_weights(nmember, exponent, logs, weights)
      end do
      if (effective_size(weights) < needed) exponent = 0.0_rk
      do i = 1, max_bisections
         middle = 0.5_rk*(exponent + high)
         if (middle <= exponent .or. middle >= high) exit
         call normalise_weights(nmember, middle, logs, weights)
         if (effective_size(weights) >= needed) then
            exponent = middle
         else
            high = middle
         end if
      end do
      call normalise_weights(nmember, exponent, logs, weights)
   end subroutine tempering_exponent

end module pl_particle_weights
