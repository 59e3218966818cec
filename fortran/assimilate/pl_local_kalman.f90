!> Local Kalman filters in the space of members: LETKF, LDEnKF, and the LEnKF that divides error variances by the weight.
!>
!> Hunt, Kostelich and Szunyogh (2007), Physica D 230, 112-126: the observations of a domain with R divided by the
!> localisation weights. Errors that are correlated are made independent by the Cholesky factor of their correlation
!> among the observations of the domain. The weights enlarge the variances by errors of their own, R + diag((1/w - 1) R):
!> correlations fall with sqrt(w_i w_j), and an observation whose weight vanishes takes what it knows of others with it.
module pl_local_kalman
   use pl_error, only: error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_local_update, only: local_problem_type, local_update_type
   use pl_localisation, only: localisation_type
   use pl_transform_etkf, only: kind_enkf, kind_etkf, transform_type
   implicit none (type, external)
   private
   public :: kalman_update_type, load_observations

   !> A transform for each domain; the work space is used again for the next one.
   type, extends(local_update_type) :: kalman_update_type
      integer :: kind = kind_etkf      !! see pl_transform_etkf
      type(transform_type) :: transform
   contains
      procedure :: create => kalman_create
      procedure :: prepare => kalman_prepare
      procedure :: apply => kalman_apply
   end type kalman_update_type

contains

   !> Allocate work space.
   subroutine kalman_create(self, nmember, error)
      class(kalman_update_type), intent(inout) :: self
      integer, intent(in) :: nmember                      !! members [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      call self%transform%create(self%kind, nmember, error)
   end subroutine kalman_create

   !> Load and factorise the observations of a domain.
   subroutine kalman_prepare(self, found, weight, error)
      class(kalman_update_type), intent(inout) :: self
      integer, intent(in) :: found(:)                     !! observations, at least one
      real(rk), intent(in) :: weight(:)                   !! their weights, above 0 [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory, or no convergence
      integer :: i, n
      n = size(found)
      associate (t => self%transform)
         call t%reserve(n, error)
         if (allocated(error)) return
         call load_observations(self%problem, self%localisation, found, weight, t%anomalies(:, :n), &
                                t%innovations(:n), error)
         if (allocated(error)) return
         if (t%kind == kind_enkf) then
            do i = 1, n
               t%perturbed(:, i) = t%innovations(i) - t%anomalies(:, i) + self%problem%perturbations(:, found(i))
            end do
         end if
         call t%factorise(n, error)
      end associate
   end subroutine kalman_prepare

   !> Update state elements; see `apply_update`.
   subroutine kalman_apply(self, nused, block)
      class(kalman_update_type), intent(inout) :: self
      integer, intent(in) :: nused                      !! lanes with state elements
      real(rk), intent(inout) :: block(:, :) !! (lanes, nmember), prior anomalies in, deviations out [any unit]
      call self%transform%apply(nused, block(:, :self%transform%nmember))
   end subroutine kalman_apply

   !> Anomalies and innovations of the observations of a domain in units of their weighted errors.
   subroutine load_observations(problem, localisation, found, weight, anomalies, innovations, error)
      type(local_problem_type), intent(in) :: problem
      type(localisation_type), intent(in) :: localisation
      integer, intent(in) :: found(:)                     !! observations
      real(rk), intent(in) :: weight(:)                   !! their weights [1]
      real(rk), intent(inout) :: anomalies(:, :)          !! (nmember, size(found)) [1]
      real(rk), intent(inout) :: innovations(:)           !! (size(found)) [1]
      type(error_type), allocatable, intent(out) :: error !! errors that are not positive definite
      real(rk) :: root
      integer :: i
      do i = 1, size(found)
         root = sqrt(weight(i))
         anomalies(:, i) = root*problem%anomalies(:, found(i))
         innovations(i) = root*problem%innovations(found(i))
      end do
      if (localisation%has_correlation) call whiten(localisation, found, weight, anomalies, innovations, error)
   end subroutine load_observations

   !> Multiply by the inverse of the Cholesky factor of the correlation of the errors.
   subroutine whiten(localisation, found, weight, anomalies, innovations, error)
      type(localisation_type), intent(in) :: localisation
      integer, intent(in) :: found(:)                     !! observations
      real(rk), intent(in) :: weight(:)                   !! their weights [1]
      real(rk), intent(inout) :: anomalies(:, :)          !! (nmember, size(found)) [1]
      real(rk), intent(inout) :: innovations(:)           !! (size(found)) [1]
      type(error_type), allocatable, intent(out) :: error !! not positive definite, or not enough memory
      real(rk), allocatable :: factor(:, :)
      real(rk) :: left
      integer :: i, j, n, stat
      n = size(found)
      allocate (factor(n, n), stat=stat) ! row i of the factor is its column i here
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the correlated errors of a local analysis; use a &
            &smaller radius")
         return
      end if
      do i = 1, n
         do j = 1, i - 1
            left = sqrt(weight(i)*weight(j))*localisation%error_correlation(found(i), found(j)) - &
                   dot_product(factor(:j - 1, i), factor(:j - 1, j))
            factor(j, i) = left/factor(j, j)
         end do
         left = 1.0_rk - dot_product(factor(:i - 1, i), factor(:i - 1, i))
         if (left <= real(n, rk)*epsilon(1.0_rk)) then
            call raise_error(error, error_input, "the errors of observations at one place are fully correlated; merge &
               &such observations or give them groups of their own")
            return
         end if
         factor(i, i) = sqrt(left)
         do j = 1, i - 1
            anomalies(:, i) = anomalies(:, i) - factor(j, i)*anomalies(:, j)
            innovations(i) = innovations(i) - factor(j, i)*innovations(j)
         end do
         anomalies(:, i) = anomalies(:, i)/factor(i, i)
         innovations(i) = innovations(i)/factor(i, i)
      end do
   end subroutine whiten

end module pl_local_kalman
