!> Facade: weight matrices of the ensemble transforms, on plain arrays.
module pl_api_transform
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_error, only: error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   use pl_particle_weights, only: likelihood_gaussian, likelihood_laplace, log_likelihoods, tempering_exponent
   use pl_transform_knetf, only: hybrid_option_type
   use pl_transform_seik, only: householder_omega
   use pl_transform_weights, only: weights_enkf, weights_option_type, weights_seik, weights_transform_type
   implicit none (type, external)
   private
   public :: transform_likelihood, transform_omega, transform_weights

   real(rk), parameter :: largest_ratio = 1.0e70_rk !! error deviations; the fourth power is far from overflow

contains

   !> Weight matrix of all observations together.
   subroutine transform_weights(anomalies, innovations, method, likelihood, least_effective, root, hybrid_variant, &
                                hybrid_rule, hybrid_weight, hybrid_norm, rotated, rotation, weights, ierr, errmsg)
      real(rk), intent(in) :: anomalies(:, :)   !! (nmember, nobs), inflated, whitened with the error covariance [1]
      real(rk), intent(in) :: innovations(:, :) !! whitened; (1, nobs), or (nmember, nobs) for EnKF [1]
      integer, intent(in) :: method             !! see pl_transform_weights
      integer, intent(in) :: likelihood         !! 1 Gaussian, 2 Laplace
      real(rk), intent(in) :: least_effective   !! NETF: least effective sample size over the number of members [1]
      integer, intent(in) :: root               !! SEIK: 1 symmetric, 2 Cholesky
      integer, intent(in) :: hybrid_variant     !! 1 HNK, 2 HKN, 3 HSync
      integer, intent(in) :: hybrid_rule        !! 1 fixed, 2 lin, 3 alpha, 4 ska, 5 sklin
      real(rk), intent(in) :: hybrid_weight     !! see pl_transform_knetf, 0 to 1 [1]
      real(rk), intent(in) :: hybrid_norm       !! see pl_transform_knetf; 0: number of members [1]
      integer, intent(in) :: rotated            !! 1: use `rotation`, 0: leave it
      real(rk), intent(in) :: rotation(:, :)    !! (nmember, nmember); SEIK: Omega, (nmember, nmember - 1) [1]
      real(rk), intent(inout) :: weights(:, :)  !! (nmember, nmember), the weight matrix [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      type(weights_option_type) :: option
      type(weights_transform_type) :: transform
      option = weights_option_type(method=method, likelihood=likelihood, root=root, least_effective=least_effective, &
                                   hybrid=hybrid_option_type(hybrid_variant, hybrid_rule, hybrid_weight, hybrid_norm))
      call check_arrays(anomalies, innovations, weights, option, error)
      if (.not. allocated(error) .and. rotated /= 0) call check_rotation(rotation, size(anomalies, 1), method, error)
      if (.not. allocated(error)) call transform%create(option, size(anomalies, 1), error)
      if (.not. allocated(error)) then
         if (rotated /= 0) then
            call transform%compute(size(anomalies, 2), anomalies, innovations, weights, error, rotation)
         else
            call transform%compute(size(anomalies, 2), anomalies, innovations, weights, error)
         end if
      end if
      call report(error, ierr, errmsg)
   end subroutine transform_weights

   !> The deterministic Omega of the SEIK filter.
   subroutine transform_omega(omega, ierr, errmsg)
      real(rk), intent(inout) :: omega(:, :) !! (nmember, nmember - 1), Householder matrix less its last column [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      type(error_type), allocatable :: error
      if (size(omega, 1) < 2 .or. size(omega, 2) /= size(omega, 1) - 1) then
         call raise_error(error, error_input, "Omega must have shape (member, member - 1) with at least two members")
      else
         call householder_omega(size(omega, 1), omega)
      end if
      call report(error, ierr, errmsg)
   end subroutine transform_omega

   !> Logarithms of the likelihoods of the members, for a particle filter.
   subroutine transform_likelihood(anomalies, innovations, likelihood, least_effective, logs, ierr, errmsg)
      real(rk), intent(in) :: anomalies(:, :)   !! (nmember, nobs), whitened with the error covariance [1]
      real(rk), intent(in) :: innovations(:)    !! (nobs), whitened [1]
      integer, intent(in) :: likelihood         !! 1 Gaussian, 2 Laplace
      real(rk), intent(in) :: least_effective   !! least effective sample size over the number of members [1]
      real(rk), intent(inout) :: logs(:)        !! (nmember), logarithms, the largest is 0 [1]
      integer, intent(out) :: ierr
      character(len=512), intent(out) :: errmsg
      real(rk) :: exponent, extreme, weights(size(anomalies, 1))
      type(error_type), allocatable :: error
      type(weights_option_type) :: option
      if (size(logs) /= size(anomalies, 1) .or. size(innovations) /= size(anomalies, 2)) then
         call raise_error(error, error_input, "likelihoods must have one value per member, innovations one per observation")
      else if (likelihood /= likelihood_gaussian .and. likelihood /= likelihood_laplace) then
         call raise_error(error, error_input, "unknown number of a likelihood; known are 1 and 2")
      else
         option%least_effective = least_effective
         extreme = huge(1.0_rk)
         if (all(ieee_is_finite(innovations))) extreme = maxval(abs(innovations))
         call check_values(anomalies, extreme, option, error)
      end if
      if (.not. allocated(error)) then
         call log_likelihoods(likelihood, size(logs), size(innovations), anomalies, innovations, logs)
         if (least_effective > 0.0_rk) then
            call tempering_exponent(size(logs), least_effective, logs, weights, exponent)
            logs = exponent*logs
         end if
      end if
      call report(error, ierr, errmsg)
   end subroutine transform_likelihood

   !> Shapes of the arrays of a transform, and what `check_values` asks.
   subroutine check_arrays(anomalies, innovations, weights, option, error)
      real(rk), intent(in) :: anomalies(:, :)             !! (nmember, nobs) [1]
      real(rk), intent(in) :: innovations(:, :)           !! (1, nobs) or (nmember, nobs) [1]
      real(rk), intent(in) :: weights(:, :)               !! (nmember, nmember) [1]
      type(weights_option_type), intent(in) :: option     !! which transform
      type(error_type), allocatable, intent(out) :: error !! what is wrong
      real(rk) :: extreme
      integer :: n, rows
      n = size(anomalies, 1)
      rows = merge(n, 1, option%method == weights_enkf)
      if (n < 2) then
         call raise_error(error, error_input, "a filter needs at least two members")
      else if (size(anomalies, 2) < 1 .or. any(shape(innovations) /= [rows, size(anomalies, 2)])) then
         call raise_error(error, error_input, "innovations must have one column for each of at least one predicted &
            &observation, and one row (one per member for the EnKF)")
      else if (any(shape(weights) /= [n, n])) then
         call raise_error(error, error_input, "weights must have one row and one column per member")
      else
         extreme = huge(1.0_rk)
         if (all(ieee_is_finite(innovations))) extreme = maxval(abs(innovations))
         call check_values(anomalies, extreme, option, error)
      end if
   end subroutine check_arrays

   !> Finite values of a size whose fourth power is a number, and shares between 0 and 1.
   subroutine check_values(anomalies, extreme, option, error)
      real(rk), intent(in) :: anomalies(:, :)             !! (nmember, nobs) [1]
      real(rk), intent(in) :: extreme                     !! largest innovation; huge where one is not finite [1]
      type(weights_option_type), intent(in) :: option     !! which transform
      type(error_type), allocatable, intent(out) :: error !! what is wrong
      if (.not. all(ieee_is_finite(anomalies)) .or. extreme >= huge(1.0_rk)) then
         call raise_error(error, error_input, "a predicted observation or an innovation is not finite")
      else if (maxval(abs(anomalies)) > largest_ratio .or. extreme > largest_ratio) then
         call raise_error(error, error_input, "an anomaly or innovation is more than 1e70 error standard deviations; &
            &check the units of the error variances")
      else if (.not. (option%least_effective >= 0.0_rk .and. option%least_effective <= 1.0_rk .and. &
                      option%hybrid%weight >= 0.0_rk .and. option%hybrid%weight <= 1.0_rk .and. &
                      option%hybrid%norm >= 0.0_rk)) then
         call raise_error(error, error_input, "the least effective sample size and the hybrid weight must lie between &
            &0 and 1, and the norm of the moments must be at least 0")
      end if
   end subroutine check_values

   !> Shape and values of a rotation.
   subroutine check_rotation(rotation, nmember, method, error)
      real(rk), intent(in) :: rotation(:, :)              !! (nmember, nmember) or (nmember, nmember - 1) [1]
      integer, intent(in) :: nmember                      !! members [1]
      integer, intent(in) :: method                       !! see pl_transform_weights
      type(error_type), allocatable, intent(out) :: error !! what is wrong
      integer :: columns
      columns = merge(nmember - 1, nmember, method == weights_seik)
      if (any(shape(rotation) /= [nmember, columns])) then
         call raise_error(error, error_input, "a rotation must have one row and one column per member, the Omega of the &
            &SEIK filter one column less")
      else if (.not. all(ieee_is_finite(rotation))) then
         call raise_error(error, error_input, "an entry of the rotation is not finite")
      end if
   end subroutine check_rotation

end module pl_api_transform
