!> Symmetric square root of A = diag(w) - w w^T for weights w that sum to 1.
!>
!> A is the covariance of one draw from the members, and the eigenvalues of a diagonal matrix less a product of
!> vectors are known to be the roots of a rational function (Golub 1973, SIAM Rev. 15, 318-334). As the weights sum to
!> 1, one eigenvalue is 0, with the vector (1, ..., 1), and the others solve
!>
!>     sum_i w_i/(w_i - x) = 0,
!>
!> one between each pair of neighbours of the sorted weights. Each root is found as its distance to the nearer weight
!> by interpolation with one pole on either side (Bunch, Nielsen and Sorensen 1978, Numer. Math. 31, 31-48), and the
!> vectors are those of a nearby matrix that has the computed roots as its exact eigenvalues (Gu and Eisenstat 1994,
!> SIAM J. Matrix Anal. Appl. 15, 1266-1276), which makes them orthogonal. A dense solver knows eigenvalues to the
!> rounding of the largest one only, and their roots to 1e-8; here small weights keep their digits, and the cost is
!> that of one product of matrices.
module pl_weight_root
   use pl_error, only: error_convergence, error_type, raise_error
   use pl_kinds, only: rk
   use pl_transform_etkf, only: gram_members
   implicit none (type, external)
   private
   public :: weight_root_type

   real(rk), parameter :: same_weight = 16.0_rk*epsilon(1.0_rk) !! relative difference that is rounding of an exponential
   real(rk), parameter :: rounding = 8.0_rk*epsilon(1.0_rk)     !! relative change of a root that rounding makes
   integer, parameter :: max_steps = 100                        !! steps to a root; five are usual

   !> Work space, used again for the next set of weights.
   type :: weight_root_type
      integer :: nmember = 0                   !! members N
      integer :: ngroup = 0                    !! groups of members with the same weight above 0
      integer, allocatable :: order(:)         !! members by ascending weight
      integer, allocatable :: first(:)         !! first place of a group in `order`, and one past the last group
      integer, allocatable :: origin(:)        !! pole from which a root is measured
      real(rk), allocatable :: pole(:)         !! weight of a group [1]
      real(rk), allocatable :: count(:)        !! its members [1]
      real(rk), allocatable :: offset(:)       !! root less the pole of its origin [1]
      real(rk), allocatable :: scale(:)        !! components of the nearby vector over the poles [1]
      real(rk), allocatable :: component(:)    !! an eigenvector, by groups [1]
      real(rk), allocatable :: vectors(:, :)   !! eigenvectors times the fourth root of their eigenvalues [1]
   contains
      procedure :: create => root_create
      procedure :: compute => root_compute
   end type weight_root_type

contains

   !> Allocate work space.
   subroutine root_create(self, nmember)
      class(weight_root_type), intent(inout) :: self
      integer, intent(in) :: nmember !! members [1]
      self%nmember = nmember
      allocate (self%order(nmember), self%first(nmember + 1), self%origin(nmember), self%pole(nmember), &
                self%count(nmember), self%offset(nmember), self%scale(nmember), self%component(nmember), &
                self%vectors(nmember, nmember))
   end subroutine root_create

   !> Compute the root; its rows and columns sum to 0.
   subroutine root_compute(self, weights, root, error)
      class(weight_root_type), intent(inout) :: self
      real(rk), intent(in) :: weights(self%nmember)            !! weights, 0 or above the smallest number [1]
      real(rk), intent(out) :: root(self%nmember, self%nmember) !! symmetric root [1]
      type(error_type), allocatable, intent(out) :: error      !! the search of a root did not end
      real(rk) :: mean(self%nmember)
      integer :: j
      call sort_members(self, weights)
      call collect_groups(self, weights)
      do j = 1, self%ngroup - 1
         call find_root(self, j, error)
         if (allocated(error)) return
      end do
      call scale_vectors(self)
      do j = 1, self%ngroup - 1
         call fill_vector(self, j)
      end do
      call gram_members(self%nmember, self%ngroup - 1, self%vectors(:, :self%ngroup - 1), root)
      call add_groups(self, root)
      do j = 1, self%nmember
         mean(j) = sum(root(:, j))/real(self%nmember, rk)
      end do
      do j = 1, self%nmember ! what rounding left along (1, ..., 1)
         root(:, j) = root(:, j) - (mean + (mean(j) - sum(mean)/real(self%nmember, rk)))
      end do
   end subroutine root_compute

   !> Members by ascending weight; equal ones stay in order.
   pure subroutine sort_members(self, weights)
      class(weight_root_type), intent(inout) :: self
      real(rk), intent(in) :: weights(self%nmember) !! weights [1]
      integer :: k, place
      do k = 1, self%nmember
         place = k
         do while (place > 1)
            if (weights(self%order(place - 1)) <= weights(k)) exit
            self%order(place) = self%order(place - 1)
            place = place - 1
         end do
         self%order(place) = k
      end do
   end subroutine sort_members

   !> Put members of the same weight together; those of weight 0 belong to no group.
   pure subroutine collect_groups(self, weights)
      class(weight_root_type), intent(inout) :: self
      real(rk), intent(in) :: weights(self%nmember) !! weights [1]
      real(rk) :: weight
      integer :: k
      self%ngroup = 0
      do k = 1, self%nmember
         weight = weights(self%order(k))
         if (.not. weight > 0.0_rk) cycle
         if (self%ngroup > 0) then
            if (weight - self%pole(self%ngroup) <= same_weight*weight) then
               self%count(self%ngroup) = self%count(self%ngroup) + 1.0_rk
               cycle
            end if
         end if
         self%ngroup = self%ngroup + 1
         self%first(self%ngroup) = k
         self%pole(self%ngroup) = weight
         self%count(self%ngroup) = 1.0_rk
      end do
      self%first(self%ngroup + 1) = self%nmember + 1
   end subroutine collect_groups

   !> The root between poles `j` and `j + 1`, in units of their distance from the nearer one.
   subroutine find_root(self, j, error)
      class(weight_root_type), intent(inout) :: self
      integer, intent(in) :: j                            !! the pole on the left
      type(error_type), allocatable, intent(out) :: error !! the search did not end
      real(rk) :: gap, high, low, next, place, slope_left, slope_right, value_left, value_right, x
      integer :: step
      gap = self%pole(j + 1) - self%pole(j)
      x = 0.5_rk*gap
      call evaluate(self, j, j, x, gap, value_left, value_right, slope_left, slope_right)
      if (value_left + value_right >= 0.0_rk) then ! the function grows from minus to plus infinity
         self%origin(j) = j
         low = 0.0_rk
         high = x
      else
         self%origin(j) = j + 1
         x = -x
         low = x
         high = 0.0_rk
      end if
      do step = 1, max_steps
         call evaluate(self, j, self%origin(j), x, gap, value_left, value_right, slope_left, slope_right)
         if (value_left + value_right > 0.0_rk) then
            high = x
         else
            low = x
         end if
         self%offset(j) = x
         if (abs(value_left + value_right) <= epsilon(1.0_rk)*(value_right - value_left)) return
         place = x/gap
         if (self%origin(j) == j) then
            next = interpolated_root(0.0_rk, 1.0_rk, place, value_left, value_right, slope_left, slope_right)
         else
            next = interpolated_root(-1.0_rk, 0.0_rk, place, value_left, value_right, slope_left, slope_right)
         end if
         next = gap*next
         if (.not. (next > low .and. next < high)) next = 0.5_rk*(low + high)
         if (abs(next - x) <= rounding*abs(x)) return
         x = next
      end do
      call raise_error(error, error_convergence, "the eigenvalues of a matrix of weights were not found within their &
         &steps; the likelihood of some member may be extreme: look at the error variances and predicted observations")
   end subroutine find_root

   !> The sums over the poles on either side of a place between `j` and `j + 1`, and their slopes times the distance
   !> of that place to the pole next to it, `sum w/(w-x) * (w_j-x)/(w-x)`.
   pure subroutine evaluate(self, j, origin, x, gap, value_left, value_right, slope_left, slope_right)
      class(weight_root_type), intent(in) :: self
      integer, intent(in) :: j                            !! the pole on the left
      integer, intent(in) :: origin                       !! the pole from which `x` is measured
      real(rk), intent(in) :: x                           !! place [1]
      real(rk), intent(in) :: gap                         !! distance of the poles [1]
      real(rk), intent(out) :: value_left, value_right    !! sums over the poles on the left and on the right [1]
      real(rk), intent(out) :: slope_left, slope_right    !! slopes times distance [1]
      real(rk) :: distance, nearest, term
      integer :: i
      value_left = 0.0_rk
      slope_left = 0.0_rk
      nearest = -x
      if (origin /= j) nearest = -gap - x
      do i = 1, j
         distance = (self%pole(i) - self%pole(origin)) - x
         term = self%count(i)*(self%pole(i)/distance)
         value_left = value_left + term
         slope_left = slope_left + term*(nearest/distance)
      end do
      value_right = 0.0_rk
      slope_right = 0.0_rk
      nearest = gap - x
      if (origin /= j) nearest = -x
      do i = j + 1, self%ngroup
         distance = (self%pole(i) - self%pole(origin)) - x
         term = self%count(i)*(self%pole(i)/distance)
         value_right = value_right + term
         slope_right = slope_right + term*(nearest/distance)
      end do
   end subroutine evaluate

   !> The zero of c + a/(left - y) + b/(right - y) between the poles, with the values and slopes of both sums at a
   !> place; all lengths over the distance of the poles.
   !>
   !> It is the zero of a parabola that falls from the left pole to the right one. Measured from a pole at 0, it keeps
   !> its digits however near to that pole it lies.
   pure real(rk) function interpolated_root(left, right, place, value_left, value_right, slope_left, &
                                            slope_right) result(y)
      real(rk), intent(in) :: left, right             !! poles, one of them at 0 [1]
      real(rk), intent(in) :: place                   !! where the sums were evaluated [1]
      real(rk), intent(in) :: value_left, value_right !! sums [1]
      real(rk), intent(in) :: slope_left, slope_right !! slopes times the distance from the place to the pole [1]
      real(rk) :: constant, linear, product, residue_left, residue_right, root
      residue_left = (left - place)*slope_left
      residue_right = (right - place)*slope_right
      constant = (value_left - slope_left) + (value_right - slope_right)
      linear = constant*(left + right) + residue_left + residue_right
      product = residue_left*right + residue_right*left
      root = sqrt(max(0.0_rk, linear*linear - 4.0_rk*constant*product))
      y = right - left ! no zero: outside the bracket of the caller, who halves it
      if (linear > 0.0_rk) then
         y = 2.0_rk*product/(linear + root)
      else if (abs(constant) > tiny(1.0_rk)) then
         y = (linear - root)/(2.0_rk*constant)
      end if
   end function interpolated_root

   !> Components of the vector of the nearby matrix, over their poles (the square root of the count but for rounding).
   pure subroutine scale_vectors(self)
      class(weight_root_type), intent(inout) :: self
      real(rk) :: product
      integer :: i, j
      do i = 1, self%ngroup
         product = 1.0_rk/self%pole(i) ! all factors below are less than 1
         do j = 1, i - 1
            product = product*(distance_to_root(self, i, j)/(self%pole(i) - self%pole(j)))
         end do
         do j = i, self%ngroup - 1
            product = product*(distance_to_root(self, i, j)/(self%pole(i) - self%pole(j + 1)))
         end do
         self%scale(i) = sqrt(product)
      end do
   end subroutine scale_vectors

   !> Pole `i` less root `j`.
   pure real(rk) function distance_to_root(self, i, j)
      class(weight_root_type), intent(in) :: self
      integer, intent(in) :: i, j !! indices of the pole and the root
      distance_to_root = (self%pole(i) - self%pole(self%origin(j))) - self%offset(j)
   end function distance_to_root

   !> Eigenvector `j`, times the fourth root of its eigenvalue, for all members.
   pure subroutine fill_vector(self, j)
      class(weight_root_type), intent(inout) :: self
      integer, intent(in) :: j !! index of the root
      real(rk) :: factor, square
      integer :: i, k
      square = 0.0_rk
      do i = 1, self%ngroup
         self%component(i) = self%scale(i)*(self%pole(i)/distance_to_root(self, i, j))
         square = square + self%component(i)*self%component(i)
      end do
      factor = sqrt(sqrt(self%pole(self%origin(j)) + self%offset(j)))/sqrt(square)
      self%vectors(:, j) = 0.0_rk
      do i = 1, self%ngroup
         do k = self%first(i), self%first(i + 1) - 1
            self%vectors(self%order(k), j) = factor*self%component(i)/sqrt(self%count(i))
         end do
      end do
   end subroutine fill_vector

   !> Add what members of the same weight have among themselves: the weight is an eigenvalue across their mean.
   pure subroutine add_groups(self, root)
      class(weight_root_type), intent(in) :: self
      real(rk), intent(inout) :: root(self%nmember, self%nmember) !! root of the part between groups in [1]
      real(rk) :: value
      integer :: i, k, l
      do i = 1, self%ngroup
         value = sqrt(self%pole(i))
         do k = self%first(i), self%first(i + 1) - 1
            do l = self%first(i), self%first(i + 1) - 1
               root(self%order(l), self%order(k)) = root(self%order(l), self%order(k)) - value/self%count(i)
            end do
            root(self%order(k), self%order(k)) = root(self%order(k), self%order(k)) + value
         end do
      end do
   end subroutine add_groups

end module pl_weight_root
