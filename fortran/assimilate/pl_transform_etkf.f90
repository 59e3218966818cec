!> Ensemble transform Kalman filter with the symmetric square root, for one set of observations.
!>
!> With S = R^(-1/2) Y' (members x observations), the analysis of a state element with anomalies x' is (Bishop et al. 2001,
!> Mon. Weather Rev. 129, 420-436; Hunt et al. 2007, Physica D 230, 112-126, eqs. 20-25)
!>
!>     increment of the mean   x'^T S (S^T S + (N-1) I)^-1 R^(-1/2) d
!>     analysis anomalies      x' (I + S S^T/(N-1))^(-1/2)
!>
!> Both are functions of a Gram matrix, of S^T S where there are fewer observations than members, else of S S^T, so
!> that the eigenproblem has the order min(p, N). Anomalies are computed as x' plus a correction, with
!> (1 + l/(N-1))^(-1/2) - 1 = -l/((N-1) s (1 + s)), s = (1 + l/(N-1))^(1/2), which does not cancel.
module pl_transform_etkf
   use pl_error, only: error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_symmetric_eigen, only: eigen_type, vector_lanes
   implicit none (type, external)
   private
   public :: gram_members, gram_observations, spectral_factors, transform_type

   !> Transform of one local domain; the work space is used again for the next one.
   type :: transform_type
      integer :: nmember = 0                     !! members N
      integer :: nobs = 0                        !! observations p of this domain
      logical :: by_observation = .false.        !! whether the Gram matrix is p x p
      real(rk), allocatable :: anomalies(:, :)   !! S, (nmember, p), filled by the caller [1]
      real(rk), allocatable :: innovations(:)    !! R^(-1/2) d, (p), filled by the caller [1]
      real(rk), allocatable :: gain(:)           !! 1/(N-1+l) [1]
      real(rk), allocatable :: shrink(:)         !! factor of the correction of anomalies [1]
      real(rk), allocatable :: block(:, :)       !! (vector_lanes, order), vectors in spectral space
      type(eigen_type) :: eigen                  !! the factorised Gram matrix
   contains
      procedure :: create => transform_create
      procedure :: reserve => transform_reserve
      procedure :: factorise => transform_factorise
      procedure :: apply => transform_apply
   end type transform_type

contains

   !> Allocate work space for `nmember` members.
   subroutine transform_create(self, nmember, error)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: nmember                      !! members [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      self%nmember = nmember
      allocate (self%gain(nmember), self%shrink(nmember), self%block(vector_lanes, nmember))
      call self%eigen%create(nmember)
      call self%reserve(nmember, error)
   end subroutine transform_create

   !> Make room for `nobs` observations; what was there is lost.
   subroutine transform_reserve(self, nobs, error)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                         !! observations [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: stat
      if (allocated(self%innovations)) then
         if (size(self%innovations) >= nobs) return
         deallocate (self%innovations, self%anomalies)
      end if
      allocate (self%innovations(2*nobs), stat=stat)
      if (stat == 0) allocate (self%anomalies(self%nmember, 2*nobs), stat=stat)
      if (stat /= 0) call raise_error(error, error_state, "not enough memory for the observations of a local analysis; &
         &use a smaller radius")
   end subroutine transform_reserve

   !> Factorise the Gram matrix of the first `nobs` observations.
   subroutine transform_factorise(self, nobs, error)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                         !! observations, at least 1 [1]
      type(error_type), allocatable, intent(out) :: error !! the eigenvalue iteration did not converge
      integer :: n
      self%nobs = nobs
      self%by_observation = nobs < self%nmember
      n = min(nobs, self%nmember)
      if (self%by_observation) then
         call gram_observations(self%nmember, nobs, self%anomalies(:, :nobs), self%eigen%matrix)
      else
         call gram_members(self%nmember, nobs, self%anomalies(:, :nobs), self%eigen%matrix)
      end if
      call self%eigen%factorise(n, error)
      if (allocated(error)) return
      call spectral_factors(self%nmember, self%by_observation, self%eigen%values(:n), self%gain(:n), self%shrink(:n))
   end subroutine transform_factorise

   !> Transform the anomalies of up to `vector_lanes - 1` state elements into deviations from the prior mean.
   !>
   !> The last lane carries the innovations through the same reflections and rotations.
   pure subroutine transform_apply(self, x)
      class(transform_type), intent(inout) :: self
      real(rk), intent(inout) :: x(vector_lanes, self%nmember) !! anomalies in, analysis minus prior mean out [unit of state]
      real(rk) :: increment(vector_lanes), t(vector_lanes)
      integer :: i, k, n
      n = min(self%nobs, self%nmember)
      associate (b => self%block, s => self%anomalies, d => self%innovations)
         if (self%by_observation) then
            do i = 1, n
               t = 0.0_rk
               do k = 1, self%nmember
                  t = t + s(k, i)*x(:, k)
               end do
               t(vector_lanes) = d(i)
               b(:, i) = t
            end do
         else
            b(:, :n) = x
            b(vector_lanes, :n) = 0.0_rk
            do i = 1, self%nobs
               do k = 1, n
                  b(vector_lanes, k) = b(vector_lanes, k) + s(k, i)*d(i)
               end do
            end do
         end if
         call self%eigen%project(b(:, :n))
         increment = 0.0_rk
         do i = 1, n
            increment = increment + b(:, i)*(self%gain(i)*b(vector_lanes, i))
            b(:, i) = b(:, i)*self%shrink(i)
         end do
         call self%eigen%expand(b(:, :n))
         if (self%by_observation) then
            do k = 1, self%nmember
               t = x(:, k) + increment
               do i = 1, n
                  t = t + s(k, i)*b(:, i)
               end do
               x(:, k) = t
            end do
         else
            do k = 1, n
               x(:, k) = x(:, k) + increment + b(:, k)
            end do
         end if
      end associate
   end subroutine transform_apply

   !> Functions of the eigenvalues that make the update.
   pure subroutine spectral_factors(nmember, by_observation, values, gain, shrink)
      integer, intent(in) :: nmember        !! members [1]
      logical, intent(in) :: by_observation !! whether the eigenvalues are those of S^T S
      real(rk), intent(in) :: values(:)     !! eigenvalues of the Gram matrix [1]
      real(rk), intent(out) :: gain(:)      !! 1/(N-1+l) [1]
      real(rk), intent(out) :: shrink(:)    !! (1/s - 1), over l for S^T S [1]
      real(rk) :: degrees, floor_value, s
      integer :: i
      degrees = real(nmember - 1, rk)
      ! eigenvalues below the rounding of the largest are those of a singular matrix (duplicate observations)
      floor_value = real(size(values), rk)*epsilon(1.0_rk)*maxval(values)
      do i = 1, size(values)
         if (values(i) > floor_value) then
            s = sqrt(1.0_rk + values(i)/degrees)
            gain(i) = 1.0_rk/(degrees + values(i))
            shrink(i) = -1.0_rk/(degrees*s*(1.0_rk + s))
            if (.not. by_observation) shrink(i) = shrink(i)*values(i)
         else ! S u = 0 within rounding: no information along u
            gain(i) = 0.0_rk
            shrink(i) = 0.0_rk
         end if
      end do
   end subroutine spectral_factors

   !> Gram matrix S S^T of the members, both triangles.
   pure subroutine gram_members(nmember, nobs, s, matrix)
      integer, intent(in) :: nmember             !! members [1]
      integer, intent(in) :: nobs                !! observations [1]
      real(rk), intent(in) :: s(nmember, nobs)   !! scaled anomalies [1]
      real(rk), intent(inout) :: matrix(:, :)    !! at least (nmember, nmember) [1]
      integer :: i, j, k
      matrix(:nmember, :nmember) = 0.0_rk
      do i = 1, nobs - 3, 4
         do j = 1, nmember
            do k = j, nmember
               matrix(k, j) = matrix(k, j) + ((s(k, i)*s(j, i) + s(k, i + 1)*s(j, i + 1)) + &
                                              (s(k, i + 2)*s(j, i + 2) + s(k, i + 3)*s(j, i + 3)))
            end do
         end do
      end do
      do i = nobs - modulo(nobs, 4) + 1, nobs
         do j = 1, nmember
            do k = j, nmember
               matrix(k, j) = matrix(k, j) + s(k, i)*s(j, i)
            end do
         end do
      end do
      call mirror(nmember, matrix)
   end subroutine gram_members

   !> Gram matrix S^T S of the observations, both triangles.
   pure subroutine gram_observations(nmember, nobs, s, matrix)
      integer, intent(in) :: nmember             !! members [1]
      integer, intent(in) :: nobs                !! observations [1]
      real(rk), intent(in) :: s(nmember, nobs)   !! scaled anomalies [1]
      real(rk), intent(inout) :: matrix(:, :)    !! at least (nobs, nobs) [1]
      real(rk) :: transposed(nobs, nmember)
      integer :: i, j, k
      transposed = transpose(s)
      matrix(:nobs, :nobs) = 0.0_rk
      do j = 1, nobs
         do k = 1, nmember - 1, 2
            do i = j, nobs
               matrix(i, j) = matrix(i, j) + (transposed(i, k)*s(k, j) + transposed(i, k + 1)*s(k + 1, j))
            end do
         end do
         if (modulo(nmember, 2) == 1) then
            do i = j, nobs
               matrix(i, j) = matrix(i, j) + transposed(i, nmember)*s(nmember, j)
            end do
         end if
      end do
      call mirror(nobs, matrix)
   end subroutine gram_observations

   !> Copy the lower triangle to the upper one.
   pure subroutine mirror(n, matrix)
      integer, intent(in) :: n                !! order [1]
      real(rk), intent(inout) :: matrix(:, :) !! at least (n, n) [1]
      integer :: i, j
      do j = 2, n
         do i = 1, j - 1
            matrix(i, j) = matrix(j, i)
         end do
      end do
   end subroutine mirror

end module pl_transform_etkf
