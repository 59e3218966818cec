!> Hybrid of the Kalman and the nonlinear ensemble transform filter.
!>
!> Nerger (2022), Q. J. R. Meteorol. Soc. 148, 620-640. A weight g, 1 for the Kalman filter and 0 for the nonlinear one,
!> divides the observations between the two: the likelihood is raised to the power 1 - g and the error variances of the
!> Kalman filter are divided by g, one after the other (HNK: nonlinear first, HKN: Kalman first), or the increments and
!> transforms of both are averaged (HSync). The second step sees the predicted observations that the first one leaves,
!> which are linear in its weights: nothing but S and the innovations is needed.
!>
!> The weight is given, or follows from the effective sample size and from how far the predicted observations are from
!> normal, with mean absolute skewness s and kurtosis k, h a given number and c that of `norm`:
!>
!>     fixed   g = h
!>     lin     g = h (1 - Neff/N)
!>     alpha   the least g with Neff(g)/N >= h
!>     ska     max(min(1 - s/c^(1/2), 1 - k/c), g of alpha), each at least 0
!>     sklin   max(min(1 - s/c^(1/2), 1 - k/c), 1 - Neff/N)
module pl_transform_knetf
   use pl_error, only: error_input, error_type, raise_error
   use pl_kinds, only: rk
   use pl_particle_weights, only: effective_size, normalise_weights, tempering_exponent
   use pl_symmetric_eigen, only: vector_lanes
   use pl_transform_etkf, only: kind_etkf, transform_type
   use pl_transform_netf, only: netf_transform_type
   implicit none (type, external)
   private
   public :: etkf_matrix, hybrid_option_type, knetf_transform_type, rule_alpha, rule_fixed, rule_lin, rule_ska, &
             rule_sklin, variant_hkn, variant_hnk, variant_hsync

   integer, parameter :: variant_hnk = 1   !! nonlinear, then Kalman
   integer, parameter :: variant_hkn = 2   !! Kalman, then nonlinear
   integer, parameter :: variant_hsync = 3 !! both at once
   integer, parameter :: rule_fixed = 1    !! rules of the hybrid weight, see above
   integer, parameter :: rule_lin = 2
   integer, parameter :: rule_alpha = 3
   integer, parameter :: rule_ska = 4
   integer, parameter :: rule_sklin = 5
   real(rk), parameter :: normal_kurtosis = 3.0_rk !! fourth moment of a normal distribution over its squared variance

   !> How the two filters are joined.
   type :: hybrid_option_type
      integer :: variant = variant_hnk  !! one of the variants above
      integer :: rule = rule_lin        !! one of the rules above
      real(rk) :: weight = 0.95_rk      !! h, 0 to 1 [1]
      real(rk) :: norm = 0.0_rk         !! c; 0 stands for the number of members [1]
   end type hybrid_option_type

   !> Transform of one set of observations; the work space is used again for the next one.
   type :: knetf_transform_type
      integer :: nmember = 0                         !! members N
      type(hybrid_option_type) :: option             !! how the two filters are joined
      real(rk) :: weight = 0.0_rk                    !! hybrid weight that was used [1]
      real(rk), allocatable :: mean(:)               !! mean over the columns of the first step [1]
      real(rk), allocatable :: first_step(:, :)      !! (N, N), weights of the first step less their mean [1]
      real(rk), allocatable :: second_step(:, :)     !! (N, N), weights of the second step [1]
      real(rk), allocatable :: anomalies(:, :)       !! (N, obs), S after the first step [1]
      real(rk), allocatable :: innovations(:)        !! (obs), innovations after the first step [1]
      type(transform_type) :: kalman                 !! Kalman filter
      type(netf_transform_type) :: nonlinear         !! nonlinear filter
   contains
      procedure :: create => knetf_create
      procedure :: compute => knetf_compute
      procedure, private :: reserve => knetf_reserve
   end type knetf_transform_type

contains

   !> Allocate work space and set the options.
   subroutine knetf_create(self, nmember, likelihood, option, error)
      class(knetf_transform_type), intent(inout) :: self
      integer, intent(in) :: nmember                      !! members [1]
      integer, intent(in) :: likelihood                   !! see pl_particle_weights
      type(hybrid_option_type), intent(in) :: option      !! how the two filters are joined
      type(error_type), allocatable, intent(out) :: error !! unknown option, not enough memory
      if (all(option%variant /= [variant_hnk, variant_hkn, variant_hsync])) then
         call raise_error(error, error_input, "unknown number of a variant of the hybrid filter; known are 1 to 3")
         return
      else if (all(option%rule /= [rule_fixed, rule_lin, rule_alpha, rule_ska, rule_sklin])) then
         call raise_error(error, error_input, "unknown number of a rule for the hybrid weight; known are 1 to 5")
         return
      end if
      self%nmember = nmember
      self%option = option
      if (.not. option%norm > 0.0_rk) self%option%norm = real(nmember, rk)
      allocate (self%mean(nmember), self%first_step(nmember, nmember), self%second_step(nmember, nmember))
      call self%nonlinear%create(nmember, likelihood, 0.0_rk)
      call self%kalman%create(kind_etkf, nmember, error)
   end subroutine knetf_create

   !> Make room for the observations of the second step.
   subroutine knetf_reserve(self, nobs)
      class(knetf_transform_type), intent(inout) :: self
      integer, intent(in) :: nobs !! observations [1]
      if (allocated(self%innovations)) then
         if (size(self%innovations) >= nobs) return
         deallocate (self%innovations, self%anomalies)
      end if
      allocate (self%innovations(2*nobs), self%anomalies(self%nmember, 2*nobs))
   end subroutine knetf_reserve

   !> Weight matrix of one set of observations.
   subroutine knetf_compute(self, nobs, anomalies, innovations, matrix, error)
      class(knetf_transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                                 !! observations, at least 1 [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs)       !! S, over the error deviation [1]
      real(rk), intent(in) :: innovations(nobs)                   !! over the error deviation [1]
      real(rk), intent(out) :: matrix(self%nmember, self%nmember) !! W [1]
      type(error_type), allocatable, intent(out) :: error         !! no convergence, not enough memory
      call self%nonlinear%weigh(nobs, anomalies, innovations)
      call set_weight(self, nobs, anomalies)
      select case (self%option%variant)
      case (variant_hsync)
         call etkf_matrix(self%kalman, nobs, 1.0_rk, anomalies, innovations, matrix, error)
         if (allocated(error)) return
         call self%nonlinear%transform(1.0_rk, self%second_step, error)
         if (allocated(error)) return
         matrix = self%weight*matrix + (1.0_rk - self%weight)*self%second_step
      case (variant_hnk)
         call self%nonlinear%transform(1.0_rk - self%weight, self%first_step, error)
         if (allocated(error)) return
         call move_predictions(self, nobs, anomalies, innovations)
         call etkf_matrix(self%kalman, nobs, self%weight, self%anomalies(:, :nobs), self%innovations(:nobs), &
                          self%second_step, error)
         if (allocated(error)) return
         call join_steps(self, matrix)
      case (variant_hkn)
         call etkf_matrix(self%kalman, nobs, self%weight, anomalies, innovations, self%first_step, error)
         if (allocated(error)) return
         call move_predictions(self, nobs, anomalies, innovations)
         call self%nonlinear%weigh(nobs, self%anomalies(:, :nobs), self%innovations(:nobs))
         call self%nonlinear%transform(1.0_rk - self%weight, self%second_step, error)
         if (allocated(error)) return
         call join_steps(self, matrix)
      case default
         call raise_error(error, error_input, "unknown number of a variant of the hybrid filter; known are 1 to 3")
      end select
   end subroutine knetf_compute

   !> Weight matrix of the ETKF with error variances divided by a factor, from its transform of unit vectors.
   subroutine etkf_matrix(transform, nobs, factor, anomalies, innovations, matrix, error)
      type(transform_type), intent(inout) :: transform                     !! work space
      integer, intent(in) :: nobs                                          !! observations [1]
      real(rk), intent(in) :: factor                                       !! divisor of the error variances, 0 to 1 [1]
      real(rk), intent(in) :: anomalies(transform%nmember, nobs)           !! S, over the error deviation [1]
      real(rk), intent(in) :: innovations(nobs)                            !! over the error deviation [1]
      real(rk), intent(out) :: matrix(transform%nmember, transform%nmember) !! W [1]
      type(error_type), allocatable, intent(out) :: error                  !! no convergence, not enough memory
      real(rk) :: block(vector_lanes, transform%nmember)
      integer :: first, lane, n, used
      n = transform%nmember
      call transform%reserve(nobs, error)
      if (allocated(error)) return
      transform%anomalies(:, :nobs) = sqrt(factor)*anomalies
      transform%innovations(:nobs) = sqrt(factor)*innovations
      call transform%factorise(nobs, error)
      if (allocated(error)) return
      do first = 1, n, vector_lanes - 1 ! the last lane carries the innovations
         used = min(vector_lanes - 1, n - first + 1)
         block = 0.0_rk
         do lane = 1, used
            block(lane, first + lane - 1) = 1.0_rk
         end do
         call transform%apply(used, block)
         matrix(first:first + used - 1, :) = block(:used, :)
      end do
   end subroutine etkf_matrix

   !> Predicted observations and innovations after the first step; that step's weights become those of its anomalies.
   subroutine move_predictions(self, nobs, anomalies, innovations)
      class(knetf_transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                           !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs) !! S before [1]
      real(rk), intent(in) :: innovations(nobs)             !! innovations before [1]
      integer :: i, j
      call self%reserve(nobs)
      associate (w => self%first_step)
         self%mean = 0.0_rk
         do j = 1, self%nmember
            self%mean = self%mean + w(:, j)
         end do
         self%mean = self%mean/real(self%nmember, rk)
         do j = 1, self%nmember
            w(:, j) = w(:, j) - self%mean
         end do
         do i = 1, nobs
            do j = 1, self%nmember
               self%anomalies(j, i) = dot_product(w(:, j), anomalies(:, i))
            end do
            self%innovations(i) = innovations(i) - dot_product(self%mean, anomalies(:, i))
         end do
      end associate
   end subroutine move_predictions

   !> Weights of both steps from those of each.
   pure subroutine join_steps(self, matrix)
      class(knetf_transform_type), intent(in) :: self
      real(rk), intent(out) :: matrix(self%nmember, self%nmember) !! W [1]
      integer :: j, k
      do j = 1, self%nmember
         matrix(:, j) = self%mean
         do k = 1, self%nmember
            matrix(:, j) = matrix(:, j) + self%first_step(:, k)*self%second_step(k, j)
         end do
      end do
   end subroutine join_steps

   !> The hybrid weight, from the likelihoods and the predicted observations before the analysis.
   subroutine set_weight(self, nobs, anomalies)
      class(knetf_transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                           !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs) !! S [1]
      real(rk) :: exponent, kurtosis, share, skewness, statistics
      associate (option => self%option, filter => self%nonlinear)
         share = 0.0_rk
         exponent = 1.0_rk
         if (option%rule == rule_alpha .or. option%rule == rule_ska) then
            call tempering_exponent(self%nmember, option%weight, filter%logs, filter%weights, exponent)
         else if (option%rule /= rule_fixed) then
            call normalise_weights(self%nmember, 1.0_rk, filter%logs, filter%weights)
            share = effective_size(filter%weights)/real(self%nmember, rk)
         end if
         statistics = 0.0_rk
         if (option%rule == rule_ska .or. option%rule == rule_sklin) then
            call mean_absolute_moments(self%nmember, nobs, anomalies, skewness, kurtosis)
            statistics = max(0.0_rk, min(1.0_rk - skewness/sqrt(option%norm), 1.0_rk - kurtosis/option%norm))
         end if
         select case (option%rule)
         case (rule_fixed)
            self%weight = option%weight
         case (rule_lin)
            self%weight = option%weight*(1.0_rk - share)
         case (rule_alpha)
            self%weight = 1.0_rk - exponent
         case (rule_ska)
            self%weight = max(statistics, 1.0_rk - exponent)
         case default
            self%weight = max(statistics, 1.0_rk - share)
         end select
         self%weight = min(1.0_rk, max(0.0_rk, self%weight)) ! the effective size may exceed N by rounding
      end associate
   end subroutine set_weight

   !> Mean over the observations of the absolute skewness and excess kurtosis of their predictions.
   !>
   !> Moments over N about the mean (Lawson and Hansen 2004, Mon. Weather Rev. 132, 1966-1981). An observation that all
   !> members predict alike counts as normal.
   pure subroutine mean_absolute_moments(nmember, nobs, anomalies, skewness, kurtosis)
      integer, intent(in) :: nmember                   !! members [1]
      integer, intent(in) :: nobs                      !! observations [1]
      real(rk), intent(in) :: anomalies(nmember, nobs) !! S [1]
      real(rk), intent(out) :: skewness, kurtosis      !! means of absolute values [1]
      real(rk) :: cube, fourth, largest, square, value(nmember)
      integer :: i
      skewness = 0.0_rk
      kurtosis = 0.0_rk
      do i = 1, nobs
         largest = maxval(abs(anomalies(:, i)))
         if (.not. largest > 0.0_rk) cycle
         value = anomalies(:, i)/largest ! moments of any size of anomalies
         square = sum(value**2)/real(nmember, rk) ! at least 1/N
         cube = sum(value**3)/real(nmember, rk)
         fourth = sum(value**4)/real(nmember, rk)
         skewness = skewness + abs(cube)/(square*sqrt(square))
         kurtosis = kurtosis + abs(fourth/(square*square) - normal_kurtosis)
      end do
      skewness = skewness/real(nobs, rk)
      kurtosis = kurtosis/real(nobs, rk)
   end subroutine mean_absolute_moments

end module pl_transform_knetf
